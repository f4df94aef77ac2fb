import {
  areasOf,
  capabilitiesWith,
  checkedFlag,
  checkedOptions,
  storeContext,
  toMicros,
  type Area,
  type Calls,
  type ErasureReceipt,
  type EventStore,
  type Health,
  type Logger,
  type MigrationReport,
  type Store,
} from '@daybook/core'
import { createAppendSignals, type AppendSignals } from './append-signals.ts'
import type { Dialect } from './dialect.ts'
import { createEventOperations } from './event-operations.ts'
import { createEventRows } from './event-rows.ts'
import { healthOf } from './health.ts'
import { methodsOf, type Operations } from './methods.ts'
import { createSchema } from './migrate.ts'
import type { Parts } from './operation.ts'
import { drizzleOptionNames, type DrizzleStoreOptions } from './options.ts'
import { checkedCodecs } from './payload-codec.ts'
import { createPerformer, type Performer } from './perform.ts'
import { createScopeStates } from './scope-states.ts'
import { createSessionOperations } from './session-operations.ts'
import { createSessionRows } from './session-rows.ts'
import { createStateOperations } from './state-operations.ts'
import { createStoredForm } from './stored-form.ts'
import { tail } from './tail.ts'

/** The parts of a store that a dialect package puts together: the contract, and what joins transactions. */
export interface Engine extends Pick<Performer, 'attempt' | 'ready'> {
  readonly store: Store
  readonly calls: Calls
  readonly areas: ReadonlySet<Area>
  readonly operations: Operations
  readonly signals: AppendSignals
  readonly failureOf: Dialect['failureOf']
  /** What calls take when they do not say otherwise. */
  readonly callDefaults: { readonly timeout: number | undefined; readonly logger: Logger | undefined }
}

/** What a database cannot do with state that a codec wrote. */
const blindfolded = { jsonPathFilter: 'no', jsonPathIndex: 'no' } as const

/**
 * A store over a dialect: everything that is the same on all databases.
 *
 * @param others names of the options that this dialect has besides the common ones
 */
export function createEngine(given: Dialect, options: DrizzleStoreOptions, others: readonly string[]): Engine {
  const context = storeContext(options, [...drizzleOptionNames, ...others], given.limits)
  const form = createStoredForm(checkedCodecs(options.codec))
  const { limits, now, calls, logger, areas } = context
  const dialect: Dialect = {
    ...given,
    capabilities: capabilitiesWith({ ...given.capabilities, ...(form.isEncoded && blindfolded) }, areas),
  }
  const sessionRows = createSessionRows(dialect, form)
  const eventRows = createEventRows(dialect, sessionRows, form)
  const scopeStates = createScopeStates(dialect, form)
  const parts: Parts = {
    dialect,
    sessionRows,
    eventRows,
    scopeStates,
    form,
    limits,
    logger,
    now,
    micros: () => toMicros(now()),
  }
  const operations = {
    sessions: createSessionOperations(parts),
    events: createEventOperations(parts),
    state: createStateOperations(parts),
  }
  const schema = createSchema(dialect)
  const signals = createAppendSignals()
  const performer = createPerformer({ dialect, schema, calls, signals })
  const { sessions, events, state } = methodsOf(operations, performer.perform)

  const tailParts: Parameters<typeof tail>[0] = {
    calls,
    limits,
    look: (key, seq, call) => performer.runReady('read', (tx) => operations.events.look(tx, key, seq), call),
    appended: (key, signal) => signals.wait(key, signal),
  }
  let closed: Promise<void> | undefined
  const store: Store = {
    capabilities: dialect.capabilities,
    limits,
    sessions,
    events: { ...events, tail: ((key, tailOptions) => tail(tailParts, key, tailOptions)) as EventStore['tail'] }, // without its type parameter
    state,
    ...areasOf(context),
    erase: (user, callOptions): Promise<ErasureReceipt> =>
      performer.perform(operations.sessions.erase(user, callOptions)),
    migrate: (migrateOptions): Promise<MigrationReport> =>
      calls.run('migrate', migrateOptions, async (call) => {
        const { dryRun } = checkedOptions(migrateOptions, ['dryRun'])
        if (checkedFlag(dryRun, 'dryRun')) return performer.run('read', schema.preview, call)
        const report = await performer.run('write', (tx) => schema.migrate(tx, now()), call)
        performer.migrated()
        return report
      }),
    health: (healthOptions): Promise<Health> =>
      calls.run('health', healthOptions, (call) => healthOf({ dialect, schema }, healthOptions, call)),
    async close() {
      await calls.close()
      await (closed ??= dialect.close())
    },
    [Symbol.asyncDispose]: () => store.close(),
  }
  const { attempt, ready } = performer
  return {
    store,
    areas,
    calls,
    operations,
    signals,
    attempt,
    ready,
    failureOf: dialect.failureOf,
    callDefaults: { timeout: options.timeout, logger },
  }
}
