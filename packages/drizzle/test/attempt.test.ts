import { createCalls, StoreError, type Call } from '@daybook/core'
import { expect, test } from 'vitest'
import type { Dialect, ErrorKind, Failure } from '../src/dialect.ts'
import { attempt } from '../src/errors.ts'

/** A driver's error that says its kind. */
class DriverError extends Error {
  readonly kind: ErrorKind

  constructor(kind: ErrorKind) {
    super('select secret')
    this.kind = kind
  }
}

const failureIn = (error: unknown): Failure => {
  if (!(error instanceof DriverError)) return { kind: 'internal' }
  return { kind: error.kind, driverCode: 'D1', ...(error.kind === 'internal' && { isUnknown: true }) }
}

const dialect: Pick<Dialect, 'failureOf' | 'lockWait'> = {
  lockWait: 400, // enough for some tries on a busy machine, too
  failureOf: failureIn,
}

/** Runs a unit that fails so many times, and says how often it ran and what came of it. */
async function outcomeOf(
  kind: ErrorKind,
  failures: number,
  { missing = [] as string[], mayRepeat = true, isCommitting = false, timeout = 5_000 } = {},
) {
  let runs = 0
  const unit = (call: Call) => async () => {
    runs++
    if (isCommitting) call.committing()
    if (runs <= failures) throw new DriverError(kind)
    return 'done'
  }
  const parts = { dialect, missingTables: async () => missing }
  const outcome = await createCalls()
    .run('test', { timeout }, (call) => attempt(parts, call, unit(call), () => mayRepeat))
    .catch((error: unknown) => (error instanceof StoreError ? error : Promise.reject(error)))
  return {
    runs,
    code: typeof outcome === 'string' ? outcome : outcome.code,
    error: typeof outcome === 'string' ? undefined : outcome,
  }
}

test.each(['contention', 'locked', 'connection', 'duplicate'] as const)(
  'a unit that failed by %s is run again as a whole',
  async (kind) => {
    expect(await outcomeOf(kind, 2)).toMatchObject({ runs: 3, code: 'done' })
  },
)

test('deadlocks are tried eight times, and are busy then', async () => {
  expect(await outcomeOf('contention', 100)).toMatchObject({
    runs: 8,
    code: 'busy',
    error: { retryable: true, facts: { driverCode: 'D1' } },
  })
})

test('a lock is tried for as long as the store waits for locks, and is busy then', async () => {
  const { runs, code } = await outcomeOf('locked', 1000)
  expect(code).toBe('busy')
  expect(runs).toBeGreaterThan(3)
})

test('the call’s own time ends the tries', async () => {
  expect(await outcomeOf('contention', 100, { timeout: 15 })).toMatchObject({ code: 'timeout' })
})

test('a code that nobody knows, of a commit that was under way, does not tell what the commit did', async () => {
  const unknown = await outcomeOf('internal', 1, { isCommitting: true })
  expect(unknown).toMatchObject({ runs: 1, code: 'outcome_unknown', error: { retryable: true } })
  expect(await outcomeOf('internal', 1)).toMatchObject({ runs: 1, code: 'internal', error: { retryable: false } })
})

test('a connection lost while the commit was under way is not tried again: nobody knows what it did', async () => {
  expect(await outcomeOf('connection', 1, { isCommitting: true })).toMatchObject({ runs: 1, code: 'outcome_unknown' })
  expect(await outcomeOf('connection', 1)).toMatchObject({ runs: 2, code: 'done' })
})

test('what the application did is not repeated', async () => {
  expect(await outcomeOf('contention', 1, { mayRepeat: false })).toMatchObject({ runs: 1, code: 'busy' })
  expect(await outcomeOf('duplicate', 1, { mayRepeat: false })).toMatchObject({ runs: 1, code: 'conflict' })
})

test('a driver that cannot tell a missing table is asked about the tables', async () => {
  expect(await outcomeOf('maybe_missing_schema', 1, { missing: ['daybook_events'] })).toMatchObject({
    runs: 1,
    code: 'schema_mismatch',
  })
  expect(await outcomeOf('maybe_missing_schema', 1)).toMatchObject({ runs: 1, code: 'internal' })
})

const codes = {
  contention: 'busy',
  locked: 'busy',
  duplicate: 'busy',
  connection: 'unavailable',
  read_only: 'unavailable',
  unreachable: 'unavailable',
  storage: 'unavailable',
  corrupt: 'corrupt',
  too_large: 'limit_exceeded',
  cancelled: 'timeout',
  missing_schema: 'schema_mismatch',
  closed: 'closed',
  internal: 'internal',
} satisfies Partial<Record<ErrorKind, string>>

test.each(Object.entries(codes))(
  'a failure that stays is told: %s is %s, without a word of the driver',
  async (kind, code) => {
    const { error } = await outcomeOf(kind as ErrorKind, 1000) // a key of the table above
    expect(error?.code).toBe(code)
    expect(error?.cause).toBeInstanceOf(DriverError)
    expect(JSON.stringify(error)).not.toContain('secret')
  },
)
