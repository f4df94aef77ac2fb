import type { Call } from '@daybook/core'
import type { Value } from '@daybook/drizzle'

/** To be said when there is a connection and the next thing is to send on it. */
export function sending(call: Call, does?: 'commits'): void {
  if (does === 'commits') call.committing()
  else call.check()
}

/** Numbers as text: the server knows what type each parameter has, and no driver guesses. */
export const wire = (values: readonly Value[]): Value[] =>
  values.map((value) => (typeof value === 'bigint' || typeof value === 'number' ? String(value) : value))
