import type { SessionKey, Store } from '@daybook/core'
import type { Ctx } from './context.ts'
import { keyOf } from './fixtures.ts'

/** What became of one side of a race. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown }

export const isValue = <T>(outcome: Outcome<T>): outcome is { readonly value: T } => 'value' in outcome

/** Lets all sides go in one turn of the event loop, and waits for all of them. */
export async function together<T>(sides: readonly (() => Promise<T>)[]): Promise<Outcome<T>[]> {
  const settled = await Promise.allSettled(sides.map((side) => side()))
  return settled.map((one) => (one.status === 'fulfilled' ? { value: one.value } : { error: one.reason as unknown })) // a reason is any
}

/**
 * Rounds of a race over a warm pair of opens: each round has a session of its own. Two stores of which one is cold catch
 * nothing, so both read first.
 */
export async function rounds(
  ctx: Ctx,
  body: (round: Round) => Promise<void>,
  count: number = ctx.budget.rounds,
): Promise<void> {
  const { store, other } = ctx
  for (let i = 0; i < count; i += 1) {
    const key = keyOf(ctx, `r${i}`)
    await Promise.all([store.sessions.get(key), other.sessions.get(key)])
    await body({ index: i, key, store, other })
  }
}

export interface Round {
  readonly index: number
  readonly key: SessionKey
  readonly store: Store
  readonly other: Store
}

/** Microseconds on a clock that all processes of this machine share. */
export const sharedClock = (): number => Number(process.hrtime.bigint() / 1000n)

/** The barrier of processes: a time that is near, and that a message reaches all of them before. */
export const soon = (): number => sharedClock() + 20_000

/** Waits for a time of the shared clock; a timer alone would come a millisecond late for one and not for another. */
export async function clockReaches(begins: number | undefined): Promise<void> {
  if (begins === undefined) return
  await new Promise((resolve) => setTimeout(resolve, (begins - sharedClock()) / 1000 - 2))
  while (sharedClock() < begins);
}
