import type { BenchEvent, JsonValue } from '../data.ts'

export interface Delta {
  readonly session: readonly (readonly [key: string, value: JsonValue])[]
  readonly user: readonly (readonly [key: string, value: JsonValue])[]
}

const userPrefix = 'user:'

/** What an event changes, by scope; the keys of the user without their prefix. */
export function deltaOf({ actions }: BenchEvent): Delta {
  const entries = Object.entries(actions.stateDelta)
  return {
    session: entries.filter(([key]) => !key.startsWith(userPrefix)),
    user: entries
      .filter(([key]) => key.startsWith(userPrefix))
      .map(([key, value]) => [key.slice(userPrefix.length), value]),
  }
}
