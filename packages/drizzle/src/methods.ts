import type {
  ArtifactPlace,
  ArtifactStore,
  EventStore,
  LeaseGrant,
  MemoryStore,
  MetricStore,
  SaveArtifactRequest,
  SessionStore,
  StateStore,
} from '@daybook/core'
import type { ArtifactOperations } from './artifact-operations.ts'
import type { EventOperations } from './event-operations.ts'
import type { MemoryOperations } from './memory-operations.ts'
import type { MetricOperations } from './metric-operations.ts'
import type { OpenedArtifact } from './artifact-lookup.ts'
import type { Upload } from './artifact-saves.ts'
import type { Operation } from './operation.ts'
import type { SessionOperations } from './session-operations.ts'
import type { StateOperations } from './state-operations.ts'

export interface Operations {
  readonly sessions: SessionOperations
  readonly events: EventOperations
  readonly state: StateOperations
  readonly artifacts: ArtifactOperations
  readonly memories: MemoryOperations
  readonly metrics: MetricOperations
}

/** Stands where the request of another thread will. */
const noGrant: LeaseGrant = {
  key: { appName: '', userId: '', sessionId: '' },
  owner: '',
  ttl: 0,
  fence: 0,
  expiresAt: 0,
}

const noPlace: ArtifactPlace = { appName: '', userId: '', sessionId: '', name: '' }
const noSave: SaveArtifactRequest = { place: noPlace, saveId: '', mimeType: undefined, metadata: {} }
const noUpload: Upload = { uploadId: '', size: 0, sha256: '', chunks: 0, pieces: undefined }
const noOpened: OpenedArtifact = {
  place: noPlace,
  stored: {
    version: 0,
    uploadId: '',
    chunks: 0,
    size: 0,
    sha256: '',
    mimeType: undefined,
    metadata: {},
    codec: undefined,
    createdAt: 0,
  },
}

/** Every operation by its name, to prepare requests that were checked in another thread. */
export const operationsByName = ({
  sessions,
  events,
  state,
  artifacts,
  memories,
  metrics,
}: Operations): ReadonlyMap<string, Operation<unknown>> =>
  new Map(
    [
      sessions.create(undefined),
      sessions.get(undefined),
      sessions.list({}),
      sessions.count({}),
      sessions.update(undefined, undefined),
      sessions.delete(undefined),
      sessions.fork(undefined),
      sessions.stateAt(undefined, undefined),
      sessions.prune({}),
      sessions.lease(undefined),
      sessions.renewLease(noGrant, undefined),
      sessions.releaseLease(noGrant, undefined),
      sessions.erase(undefined),
      events.append(undefined, undefined),
      events.get(undefined, undefined),
      events.list(undefined),
      state.get(undefined),
      state.update(undefined, undefined),
      artifacts.record(noSave, noUpload),
      artifacts.owner(noPlace),
      artifacts.stage({ place: noPlace, uploadId: '', from: 0, pieces: [] }),
      artifacts.discard(noPlace, ''),
      artifacts.announce(noPlace, ''),
      artifacts.bury(noPlace, ''),
      artifacts.buried('', ''),
      artifacts.load(undefined),
      artifacts.open({ place: noPlace, version: undefined, isStream: true }),
      artifacts.pieces(noOpened, 0),
      artifacts.list({}),
      artifacts.versions(undefined),
      artifacts.delete(undefined),
      artifacts.prune({}),
      artifacts.sweep({}),
      memories.add(undefined, undefined),
      memories.get(undefined, undefined),
      memories.list({}),
      memories.search({}),
      memories.delete({}),
      metrics.record(undefined),
      metrics.query({}),
      metrics.aggregate({}),
      metrics.prune({}),
    ].map((operation) => [operation.name, operation as Operation<unknown>]), // it only hands the answer on
  )

type Perform = <T>(operation: Operation<T>) => Promise<T>

/** The methods of the areas, performed one way or another. What the caller says about types is the caller's claim. */
export function methodsOf(
  { sessions, events, state, memories, metrics, artifacts }: Operations,
  perform: Perform,
): {
  sessions: Omit<SessionStore, 'lease'>
  events: Omit<EventStore, 'tail'>
  state: StateStore
  artifacts: ArtifactStore
  memories: MemoryStore
  metrics: MetricStore
} {
  const typed = {
    sessions: {
      create: (session: unknown, options?: object) => perform(sessions.create(session, options)),
      get: (key: unknown, options?: object) => perform(sessions.get(key, options)),
      list: (query: object) => perform(sessions.list(query)),
      count: (filter: object) => perform(sessions.count(filter)),
      update: (key: unknown, change: unknown, options?: object) => perform(sessions.update(key, change, options)),
      delete: (key: unknown, options?: object) => perform(sessions.delete(key, options)),
      fork: (key: unknown, options?: object) => perform(sessions.fork(key, options)),
      stateAt: (key: unknown, seq: number, options?: object) => perform(sessions.stateAt(key, seq, options)),
      prune: (query: object) => perform(sessions.prune(query)),
    },
    events: {
      append: (key: unknown, given: unknown, options?: object) => perform(events.append(key, given, options)),
      get: (key: unknown, eventId: string, options?: object) => perform(events.get(key, eventId, options)),
      list: (key: unknown, query?: object) => perform(events.list(key, query)),
    },
    state: {
      get: (key: unknown, options?: object) => perform(state.get(key, options)),
      update: (key: unknown, change: unknown, options?: object) => perform(state.update(key, change, options)),
    },
    memories: {
      add: (scope: unknown, source: unknown, options?: object) => perform(memories.add(scope, source, options)),
      get: (scope: unknown, id: unknown, options?: object) => perform(memories.get(scope, id, options)),
      list: (query: object) => perform(memories.list(query)),
      search: (query: object) => perform(memories.search(query)),
      delete: (query: object) => perform(memories.delete(query)),
    },
    metrics: {
      record: (rows: unknown, options?: object) => perform(metrics.record(rows, options)),
      query: (query: object) => perform(metrics.query(query)),
      aggregate: (query: object) => perform(metrics.aggregate(query)),
      prune: (query: object) => perform(metrics.prune(query)),
    },
    // Without streams, which are several operations: see artifact-store.ts.
    artifacts: {
      save: (key: unknown, content: unknown, options?: object) => perform(artifacts.save(key, content, options)),
      load: (key: unknown, options?: object) => perform(artifacts.load(key, options)),
      list: (query: object) => perform(artifacts.list(query)),
      versions: (key: unknown, query?: object) => perform(artifacts.versions(key, query)),
      delete: (key: unknown, options?: object) => perform(artifacts.delete(key, options)),
      prune: (query: object) => perform(artifacts.prune(query)),
      sweep: (query: object) => perform(artifacts.sweep(query)),
    },
  }
  return typed as ReturnType<typeof methodsOf> // the same methods without their type parameters
}
