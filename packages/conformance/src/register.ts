/** One call on a register as its caller saw it. */
export interface RegisterCall {
  readonly by: string
  readonly kind: 'read' | 'write'
  /** What was written, or what came; `undefined` before anything was. */
  readonly value: number | undefined
  readonly began: number
  readonly ended: number
}

export interface Search {
  /** An order in which the calls may have happened one by one; `undefined` if there is none. */
  readonly order: readonly RegisterCall[] | undefined
  /** The longest order of some of them, for the report. */
  readonly longest: readonly RegisterCall[]
  readonly steps: number
}

/**
 * Looks for an order of all calls in which each read has the value of the last write before it, and no call comes before one
 * that had ended when it began: Wing and Gong's search, with Lowe's memory of what was tried. For few calls: its worst case
 * grows with the number of those that overlap.
 */
export function linearize(calls: readonly RegisterCall[], initial: number | undefined): Search {
  const tried = new Set<string>()
  const order: RegisterCall[] = []
  let longest: readonly RegisterCall[] = []
  let steps = 0

  function goOn(rest: readonly RegisterCall[], value: number | undefined): boolean {
    if (rest.length === 0) return true
    const state = `${value} ${rest.map((call) => calls.indexOf(call)).join(',')}`
    if (tried.has(state)) return false
    tried.add(state)
    // Whatever comes next began before the first of the rest had ended.
    const firstEnd = Math.min(...rest.map(({ ended }) => ended))
    for (const call of rest.filter(({ began }) => began <= firstEnd)) {
      if (call.kind === 'read' && call.value !== value) continue
      steps += 1
      order.push(call)
      if (order.length > longest.length) longest = [...order]
      const isThere = goOn(
        rest.filter((other) => other !== call),
        call.kind === 'write' ? call.value : value,
      )
      if (isThere) return true
      order.pop()
    }
    return false
  }

  return { order: goOn(calls, initial) ? order : undefined, longest, steps }
}
