import { isStoreError } from '@daybook/core'
import { holds } from '../expect.ts'
import { isValue, together, type Outcome } from '../race.ts'

export const codeOf = (outcome: Outcome<unknown>): string =>
  isValue(outcome) ? 'ok' : isStoreError(outcome.error) ? outcome.error.code : String(outcome.error)

/** All sides succeed, and that is what is wanted. */
export async function allAcknowledged<T>(sides: readonly (() => Promise<T>)[], what: string): Promise<T[]> {
  const outcomes = await together(sides)
  return outcomes.map((outcome) => {
    holds(isValue(outcome), `${what}: every call is acknowledged`, outcome)
    return outcome.value
  })
}
