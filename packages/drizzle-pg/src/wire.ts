import type { Value } from '@daybook/drizzle'

/** Numbers as text: the server knows what type each parameter has, and no driver guesses. */
export const wire = (values: readonly Value[]): Value[] =>
  values.map((value) => (typeof value === 'bigint' || typeof value === 'number' ? String(value) : value))
