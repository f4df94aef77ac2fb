/** The name of a place says which run made it, and when: letters, digits and `_`, at most 40 characters. */
export const runId = (turn: number): string => `c${Date.now().toString(36)}_${process.pid}_${turn}`

/** Of the names that are there, those of runs that began before a time. Names of another make are somebody else's. */
export const leftBefore = (ids: readonly string[], before: number): string[] =>
  ids.filter((id) => {
    const began = /^c([0-9a-z]{8,9})_\d+_\d+(?:_\w+)?$/.exec(id)?.[1]
    return began !== undefined && Number.parseInt(began, 36) < before
  })
