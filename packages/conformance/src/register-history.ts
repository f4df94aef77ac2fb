import type { Store } from '@daybook/core'
import type { Ctx } from './context.ts'
import { CheckFailure } from './expect.ts'
import { numbers } from './fixtures.ts'
import { sharedClock } from './race.ts'
import { linearize, type RegisterCall } from './register.ts'

const shown = ({ by, kind, value, began, ended }: RegisterCall) =>
  `${began}–${ended} µs ${by} ${kind}s ${value ?? 'nothing'}`

/** Five callers over two opens write and read one key of a user's state: there has to be one order that explains all they saw. */
export async function registerHistory(ctx: Ctx): Promise<void> {
  const rounds = ctx.budget.name === 'cert' ? 10 : 3
  for (const round of numbers(rounds)) {
    const key = { appName: ctx.app, userId: `u${round}` }
    const calls: RegisterCall[] = []
    await Promise.all(
      numbers(5).map(async (caller) => {
        const store = caller % 2 === 0 ? ctx.store : ctx.other
        for (const turn of numbers(10)) {
          const value = ctx.random() < 0.5 ? 100 * caller + turn : undefined
          calls.push(await callOn(store, key, `c${caller}`, value))
        }
      }),
    )
    const { order, longest, steps } = linearize(calls, undefined)
    if (order !== undefined) continue
    const rest = calls.filter((call) => !longest.includes(call)).toSorted((a, b) => a.began - b.began)
    throw new CheckFailure(
      `${calls.length} reads and writes of one key of state happened in some order`,
      'an order in which each read has the last value written',
      [
        `none (${steps} steps); after ${longest.length} calls, of which the last were`,
        ...longest.slice(-4).map((call) => shown(call)),
        'there is no place for',
        ...rest.slice(0, 6).map((call) => shown(call)),
      ].join('\n    '),
    )
  }
}

async function callOn(
  store: Store,
  key: { readonly appName: string; readonly userId: string },
  by: string,
  value: number | undefined,
): Promise<RegisterCall> {
  const began = sharedClock()
  if (value !== undefined) {
    await store.state.update(key, { set: { value } })
    return { by, kind: 'write', value, began, ended: sharedClock() }
  }
  const found = await store.state.get<{ readonly value: number }>(key)
  return { by, kind: 'read', value: found?.state.value, began, ended: sharedClock() }
}
