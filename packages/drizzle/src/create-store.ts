import {
  areasOf,
  capabilitiesWith,
  checkedFlag,
  checkedOptions,
  createLeases,
  defaultTimeout,
  statePathIndexRequest,
  storeContext,
  toMicros,
  withoutPathIndexes,
  type Area,
  type Call,
  type Calls,
  type ErasureReceipt,
  type EventStore,
  type Health,
  type Logger,
  type MigrationReport,
  type SessionKey,
  type StatePathIndexRequest,
  type Store,
  type StoreContext,
} from '@daybook/core'
import { artifactObjects, checkedStorage, type ArtifactObjects } from './artifact-objects.ts'
import { createArtifactOperations } from './artifact-operations.ts'
import { createArtifactRows } from './artifact-rows.ts'
import { artifactStreams } from './artifact-store.ts'
import { createArtifactScripts, noArtifacts } from './artifacts.ts'
import { createAppendSignals, type AppendSignals } from './append-signals.ts'
import type { Dialect } from './dialect.ts'
import { createEventOperations } from './event-operations.ts'
import { createEventRows } from './event-rows.ts'
import { checkedGroupCommit } from './group-commit.ts'
import { conditionOf, healthOf, type Condition } from './health.ts'
import { createMemoryScripts } from './memories.ts'
import { createMemoryOperations } from './memory-operations.ts'
import { createMetricOperations } from './metric-operations.ts'
import { createMetricRemoval, noMetrics } from './metric-removal.ts'
import { methodsOf, type Operations } from './methods.ts'
import { createSchema } from './migrate.ts'
import type { Operation, Parts } from './operation.ts'
import { drizzleOptionNames, type DrizzleStoreOptions } from './options.ts'
import { checkedCodecs } from './payload-codec.ts'
import { createPathIndexes } from './path-indexes.ts'
import { createPerformer, type Performer } from './perform.ts'
import { createScopeStates } from './scope-states.ts'
import { createSessionOperations } from './session-operations.ts'
import { createSessionRows } from './session-rows.ts'
import { createStateOperations } from './state-operations.ts'
import { createStoredForm } from './stored-form.ts'
import { tail, type Look } from './tail.ts'

/** The parts of a store that a dialect package puts together: the contract, and what joins transactions. */
export interface Engine extends Pick<Performer, 'attempt' | 'ready' | 'within'> {
  readonly store: Store
  readonly backend: Backend
  readonly calls: Calls
  readonly areas: ReadonlySet<Area>
  readonly operations: Operations
  readonly signals: AppendSignals
  readonly failureOf: Dialect['failureOf']
  readonly now: () => number
  readonly objects: ArtifactObjects | undefined
  /** What calls take when they do not say otherwise. */
  readonly callDefaults: { readonly timeout: number; readonly logger: Logger | undefined }
}

/** What a database cannot do with state that a codec wrote. */
const blindfolded = { jsonPathFilter: 'no', jsonPathIndex: 'no' } as const

/** What does the work of a store: in this thread over a dialect, or elsewhere. */
export interface Backend {
  perform<T>(operation: Operation<T>): Promise<T>
  /** The same within a call that is under way. */
  within<T>(call: Call, operation: Operation<T>): Promise<T>
  /** Which session it is, and what it has after a `seq`. */
  look(key: SessionKey, afterSeq: number, call: Call): Promise<Look | undefined>
  migrate(dryRun: boolean, call: Call): Promise<MigrationReport>
  indexStatePath(request: StatePathIndexRequest, call: Call): Promise<MigrationReport>
  dropStatePathIndex(request: StatePathIndexRequest, call: Call): Promise<boolean>
  /** How the database is. */
  ask(call: Call, isDeep: boolean): Promise<Condition>
  /** Closes what the store opened itself, and only that. */
  close(): Promise<void>
}

/** What a store is made of before anybody decided who does its work. */
interface Frame {
  readonly context: StoreContext
  readonly dialect: Dialect
  readonly operations: Operations
  readonly signals: AppendSignals
  readonly objects: ArtifactObjects | undefined
  /** Milliseconds of a call that does not say otherwise. */
  readonly timeout: number
}

/**
 * A store over a dialect: everything that is the same on all databases.
 *
 * @param others names of the options that this dialect has besides the common ones
 */
export function createEngine(given: Dialect, options: DrizzleStoreOptions, others: readonly string[]): Engine {
  const frame = frameOf(given, options, others)
  const { context, dialect, operations, signals } = frame
  const { calls, now, logger, areas } = context
  const schema = createSchema(dialect)
  const pathIndexes = createPathIndexes(dialect, schema)
  const performer = createPerformer({ dialect, schema, calls, signals })
  const { attempt, ready, within } = performer
  const backend: Backend = {
    perform: performer.perform,
    within: (call, operation) => within(call, operation, operation.request()),
    look: (key, seq, call) => performer.runReady('read', (tx) => operations.events.look(tx, key, seq), call),
    async migrate(dryRun, call) {
      if (dryRun) return performer.run('read', schema.preview, call)
      const report = await performer.run('write', (tx) => schema.migrate(tx, now()), call)
      performer.migrated()
      return report
    },
    indexStatePath: (request, call) =>
      performer.run(request.dryRun ? 'read' : 'write', (tx) => pathIndexes.make(tx, request, now()), call),
    dropStatePathIndex: (request, call) => performer.run('write', (tx) => pathIndexes.drop(tx, request), call),
    ask: (call, isDeep) => conditionOf(dialect, schema, call, isDeep),
    close: () => dialect.close(),
  }
  return {
    store: storeOver(frame, backend),
    backend,
    areas,
    calls,
    operations,
    signals,
    attempt,
    ready,
    within,
    failureOf: dialect.failureOf,
    now,
    objects: frame.objects,
    callDefaults: { timeout: frame.timeout, logger },
  }
}

/**
 * The same store, whose work is done elsewhere: calls, the checks of arguments and tails are here, and of the dialect only
 * what needs no database.
 */
export function createRemoteStore(
  given: Dialect,
  options: DrizzleStoreOptions,
  others: readonly string[],
  backendFor: (parts: Pick<StoreContext, 'calls' | 'now' | 'logger'> & Pick<Frame, 'signals'>) => Backend,
): Store {
  const frame = frameOf(given, options, others)
  return storeOver(frame, backendFor({ ...frame.context, signals: frame.signals }))
}

function frameOf(given: Dialect, options: DrizzleStoreOptions, others: readonly string[]): Frame {
  const context = storeContext(options, [...drizzleOptionNames, ...others], given.limits, given.mostLimits)
  const codecs = checkedCodecs(options.codec)
  const storage = checkedStorage(options.artifacts)
  const form = createStoredForm(codecs)
  const { limits, now, logger, areas, embeddingDimensions } = context
  const hasLikeness = embeddingDimensions !== undefined && given.capabilities.memories === 'yes'
  const likeness = { vectorSearch: hasLikeness ? 'yes' : 'no' } as const
  const dialect: Dialect = {
    ...given,
    capabilities: capabilitiesWith({ ...given.capabilities, ...likeness, ...(form.isEncoded && blindfolded) }, areas),
  }
  const sessionRows = createSessionRows(dialect, form)
  const eventRows = createEventRows(dialect, sessionRows, form)
  const scopeStates = createScopeStates(dialect, form)
  const scripts = createArtifactScripts(dialect, createArtifactRows(dialect, codecs))
  // An area that was left out may have rows, which go with their session and their user all the same.
  const artifacts = given.capabilities.artifacts === 'yes' ? scripts : noArtifacts(scripts)
  const parts: Parts = {
    dialect,
    sessionRows,
    eventRows,
    scopeStates,
    artifacts,
    form,
    groupBounds: checkedGroupCommit(options.groupCommit),
    limits,
    embeddingDimensions,
    logger,
    now,
    micros: () => toMicros(now()),
  }
  const memories = createMemoryScripts(parts)
  const metrics = createMetricRemoval(dialect)
  const eraseMetrics = given.capabilities.metrics === 'yes' ? metrics.eraseSome : noMetrics
  const operations = {
    sessions: createSessionOperations(parts, memories, eraseMetrics),
    events: createEventOperations(parts),
    state: createStateOperations(parts),
    artifacts: createArtifactOperations(parts),
    memories: createMemoryOperations(parts, memories),
    metrics: createMetricOperations(parts, metrics),
  }
  const objects = storage && artifactObjects(storage, codecs)
  const timeout = options.timeout ?? defaultTimeout
  return { context, dialect, operations, signals: createAppendSignals(), objects, timeout }
}

const pathIndexMethods = (
  { calls, limits }: StoreContext,
  backend: Backend,
): Pick<Store, 'indexStatePath' | 'dropStatePathIndex'> => ({
  indexStatePath: (path, type, options) =>
    calls.run('indexStatePath', options, (call) =>
      backend.indexStatePath(statePathIndexRequest(path, type, options, limits, 'make'), call),
    ),
  dropStatePathIndex: (path, type, options) =>
    calls.run('dropStatePathIndex', options, (call) =>
      backend.dropStatePathIndex(statePathIndexRequest(path, type, options, limits, 'drop'), call),
    ),
})

function storeOver({ context, dialect, operations, signals, objects, timeout }: Frame, backend: Backend): Store {
  const { calls, limits, now, logger } = context
  const perform = <T>(operation: Operation<T>) => backend.perform(operation)
  const { sessions, events, state, memories, metrics, artifacts } = methodsOf(operations, perform)
  const leases = createLeases({
    take: (key, options) => perform(operations.sessions.lease(key, options)),
    renew: (grant, options) => perform(operations.sessions.renewLease(grant, options)),
    release: (grant, options) => perform(operations.sessions.releaseLease(grant, options)),
  })
  const { methods, reaping } = artifactStreams(operations.artifacts, {
    run: (name, callOptions, body) => calls.run(name, callOptions, body),
    within: (call, operation) => backend.within(call, operation),
    limits,
    now,
    timeout,
    logger,
    objects,
  })
  const { reaped } = reaping
  const tailParts: Parameters<typeof tail>[0] = {
    calls,
    limits,
    look: (key, seq, call) => backend.look(key, seq, call),
    appended: (key, signal) => signals.wait(key, signal),
    listen: dialect.listen,
  }
  let closed: Promise<void> | undefined
  const store: Store = {
    capabilities: dialect.capabilities,
    limits,
    sessions: {
      ...sessions,
      lease: leases.lease,
      delete: (key, callOptions) => reaped(key, callOptions, sessions.delete(key, callOptions)),
      prune: (query) => reaped(query, query, sessions.prune(query)),
    },
    events: { ...events, tail: ((key, tailOptions) => tail(tailParts, key, tailOptions)) as EventStore['tail'] }, // without its type parameter
    state,
    ...areasOf(context, {
      memories,
      ...(dialect.capabilities.metrics === 'yes' && { metrics }),
      artifacts: {
        ...artifacts,
        ...methods,
        delete: (key, callOptions) => reaped(key, callOptions, artifacts.delete(key, callOptions)),
        prune: (query) => reaped(query, query, artifacts.prune(query)),
        sweep: (query) => reaped(query, query, artifacts.sweep(query), 'sweep'),
      },
    }),
    erase: (user, callOptions): Promise<ErasureReceipt> =>
      reaped(user, callOptions, perform(operations.sessions.erase(user, callOptions))),
    migrate: (migrateOptions): Promise<MigrationReport> =>
      calls.run('migrate', migrateOptions, (call) => {
        const { dryRun } = checkedOptions(migrateOptions, ['dryRun'])
        return backend.migrate(checkedFlag(dryRun, 'dryRun'), call)
      }),
    ...(dialect.capabilities.jsonPathIndex === 'yes' ? pathIndexMethods(context, backend) : withoutPathIndexes(calls)),
    health: (healthOptions): Promise<Health> =>
      calls.run('health', healthOptions, (call) =>
        healthOf({ dialect, ask: (asking, isDeep) => backend.ask(asking, isDeep) }, healthOptions, call),
      ),
    async close() {
      leases.close()
      await reaping.close(calls.close())
      await (closed ??= backend.close())
    },
    [Symbol.asyncDispose]: () => store.close(),
  }
  return store
}
