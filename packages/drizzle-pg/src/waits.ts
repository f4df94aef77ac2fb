import { StoreError, type Call } from '@daybook/core'
import type { Params } from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import { failureOf, lockNotAvailable } from './errors.ts'

/**
 * How long the server may wait and work for a call: until the call is over, so that one that nobody waits for any more keeps
 * no connection and takes no lock; less where a setting of the connection or an option says less.
 */
export interface Waits {
  /** For a statement that sets it for itself; see append.ts. */
  params(call: Call): Params
  /** Too short for a circle of waits to be broken by the server: for a unit that is tried again, and then waits as long as it may. */
  hasty(call: Call): Params
  /** Sets it for the rest of a transaction: nothing is left behind for whoever gets the connection next, also from a pooler. */
  statement(call: Call): SQL
  /** Takes in the settings that connections have. */
  learn(settings: Readonly<Record<string, string>>): void
  /** What an error is to the call: when its own bound ended the wait, its time is over. */
  told(error: unknown, call: Call): unknown
}

/** What is kept of the call's time for the answer, which says that nothing was written: a tenth, or more of a short one. */
const kept = (ms: number) => Math.min(ms / 2, Math.max(100, ms / 10))

export function createWaits(lockTimeout = 0, statementTimeout = 0): Waits {
  const most = { lock: limitOf(lockTimeout), statement: limitOf(statementTimeout) }
  const boundByCall = new WeakSet<Call>()

  function lock(call: Call): string {
    const own = Math.max(1, Math.floor(left(call) - kept(left(call))))
    if (own < most.lock) boundByCall.add(call)
    else boundByCall.delete(call)
    return String(Math.min(own, most.lock))
  }

  return {
    params: (call) => ({ lockTimeout: lock(call) }),
    hasty(call) {
      boundByCall.delete(call)
      return { lockTimeout: String(Math.min(hastyWait, left(call), most.lock)) }
    },
    statement: (call) =>
      sql`select set_config('lock_timeout', ${lock(call)}, true), set_config('statement_timeout', ${String(Math.min(left(call), most.statement))}, true)`,
    learn(settings) {
      most.lock = Math.min(most.lock, limitOf(msOf(settings['lock_timeout'])))
      most.statement = Math.min(most.statement, limitOf(msOf(settings['statement_timeout'])))
    },
    told(error, call) {
      if (!boundByCall.has(call) || failureOf(error).driverCode !== lockNotAvailable) return error
      return new StoreError(
        'timeout',
        'the time of the call ran out waiting for a lock that others held; nothing was written',
        {
          cause: error,
          driverCode: lockNotAvailable,
        },
      )
    },
  }
}

/** Milliseconds. The server looks for circles after a second. */
const hastyWait = 100

const left = (call: Call) => Math.max(1, Math.floor(call.deadline - performance.now()))

/** The server's settings end there; 0 is without limit. */
const longest = 2 ** 31 - 1
const limitOf = (ms: number) => (ms > 0 ? Math.min(ms, longest) : longest)

const units: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** `100ms`, `5s`, `0`, as the server shows a time. */
function msOf(setting = '0'): number {
  const [, number = '0', unit = 'ms'] = /^(\d+)([a-z]*)$/.exec(setting) ?? []
  return Number(number) * (units[unit] ?? 1)
}
