import { setImmediate } from 'node:timers' // not the global one, which tests replace
import type { Call, Calls } from '@daybook/core'
import type { AppendSignals } from './append-signals.ts'
import type { Dialect, Tx } from './dialect.ts'
import { attempt } from './errors.ts'
import type { Schema } from './migrate.ts'
import { driftOf } from './schema-drift.ts'
import type { Operation, Prepared } from './operation.ts'
import { runAsync, step, type Script } from './script.ts'

interface Parts {
  readonly dialect: Dialect
  readonly schema: Schema
  readonly calls: Calls
  readonly signals: AppendSignals
}

/** Runs operations in transactions of the store's own. */
export interface Performer {
  readonly perform: <T>(operation: Operation<T>) => Promise<T>
  /** The same within a call, for a request that was checked. */
  readonly within: <T>(call: Call, operation: Operation<T>, request: unknown) => Promise<T>
  /** Runs a unit with retries. `mayRepeat` is false once something was done in it that is not ours to repeat. */
  readonly attempt: <T>(call: Call, unit: (call: Call) => Promise<T>, mayRepeat?: () => boolean) => Promise<T>
  /** Runs a script in a transaction of its own, with retries. */
  readonly run: <T>(mode: 'read' | 'write', script: (tx: Tx) => Script<T>, call: Call) => Promise<T>
  /** The same, once the schema was found to be the one that this version needs. */
  readonly runReady: <T>(mode: 'read' | 'write', script: (tx: Tx) => Script<T>, call: Call) => Promise<T>
  /** Looks whether the schema is the one that this version needs, unless that is known. */
  readonly ready: (tx: Tx) => Script<void>
  /** The schema was just migrated. */
  migrated(): void
}

export function createPerformer({ dialect, schema, calls, signals }: Parts): Performer {
  let isReady = false

  /** What is missing of our tables: whole ones, or else columns. */
  function* missing(tx: Tx): Script<readonly string[]> {
    const tables = yield* schema.missingTables(tx)
    return tables.length > 0 ? tables : (yield* driftOf(dialect, tx)).broken
  }

  const attempts = { dialect, missingTables: (call: Call) => dialect.read(missing, call) }

  const performer: Performer = {
    perform: (operation) =>
      calls.run(operation.name, operation.options, (call) => performer.within(call, operation, operation.request())),
    // Most reads are one script and nothing else: a promise around another is a good part of what is around them.
    within(call, { mode, prepare }, request) {
      const prepared = prepare(request)
      const { generated, direct, afterwards, appendsTo, chunks } = prepared
      if (generated !== undefined) call.generated(generated, chunks !== undefined)
      return direct === undefined && afterwards === undefined && appendsTo === undefined
        ? scripted(prepared, mode, call)
        : whole(prepared, mode, call)
    },
    attempt: (call, unit, mayRepeat) => attempt(attempts, call, unit, mayRepeat),
    run: (mode, script, call) => performer.attempt(call, () => dialect[mode](script, call)),
    runReady(mode, script, call) {
      const run = () => attempt(attempts, call, () => dialect[mode](script, call))
      return isReady ? run() : performer.run('read', performer.ready, call).then(run)
    },
    *ready(tx) {
      if (isReady) return
      yield* schema.check(tx)
      isReady = true
    },
    migrated() {
      isReady = true
    },
  }

  /** The direct way where there is one; the script where there is none, or it found that it is not for this call. */
  async function whole<T>(prepared: Prepared<T>, mode: 'read' | 'write', call: Call): Promise<T> {
    const { direct, afterwards, appendsTo } = prepared
    if (direct !== undefined && !isReady) await performer.run('read', performer.ready, call)
    const found = direct && (await attempt(attempts, call, direct))
    const answer = found === undefined ? await scripted(prepared, mode, call) : found.answer
    if (appendsTo !== undefined) signals.notify(appendsTo)
    if (afterwards === undefined) return answer
    const look = () => performer.run('read', (tx) => afterwards(tx, answer), call)
    return followed(found?.whole ?? look, call)
  }

  function scripted<T>({ script, chunks, onlyReads }: Prepared<T>, mode: 'read' | 'write', call: Call): Promise<T> {
    const kind = onlyReads === true ? 'read' : mode
    if (chunks === undefined) return performer.runReady(kind, script, call)
    let isFirst = true
    const run = () =>
      step(async () => {
        // Where a driver holds the thread nobody else comes between two transactions, and no signal is heard.
        if (!isFirst) await turnOfLoop()
        isFirst = false
        return performer.runReady(kind, script, call)
      })
    return runAsync(allChunks(chunks, run, (sum) => chunks.writes ?? call.removed(countsIn(sum))))
  }

  return performer
}

const turnOfLoop = () => new Promise<void>((resolve) => setImmediate(resolve))

/** The commit is done: an error from here on must not say that nothing was written. */
async function followed<T>(look: () => T | Promise<T>, call: Call): Promise<T> {
  call.committed()
  try {
    return await look()
  } catch (error) {
    throw call.outcomeUnknown(error)
  }
}

/** The counts of a report. */
const countsIn = (report: unknown): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(report as object).filter((entry): entry is [string, number] => typeof entry[1] === 'number'), // what is done in chunks is reported by an object
  )

/**
 * Runs chunks until the last one, and adds up what they did.
 *
 * @param afterEach hears the sum when there is more to do
 */
export function* allChunks<T>(
  { isLast, add }: NonNullable<Prepared<T>['chunks']>,
  chunk: () => Script<T>,
  afterEach: (sum: T) => void = () => {},
): Script<T> {
  const first = yield* chunk()
  let [sum, last] = [first, first]
  while (!isLast(last)) {
    afterEach(sum)
    last = yield* chunk()
    sum = add(sum, last)
  }
  return sum
}
