import type { ArtifactPlace } from './artifact-request.ts'
import type { JsonDelta } from './delta.ts'
import { StoreError } from './errors.ts'
import { putMetric, restoredMetric, type KeptMetric } from './in-memory-metric-rows.ts'
import { isJsonObject, type JsonObject } from './json.ts'
import type { StoredLease } from './lease-request.ts'
import { wordsOfPayload, type CheckedScope, type MemoryEntry } from './memory-request.ts'
import type { SessionKey } from './sessions.ts'

export const data: unique symbol = Symbol('data')

/** What in-memory stores keep. It outlives them, as a database does. */
export interface InMemoryDatabase {
  readonly [data]: InMemoryData
}

/**
 * A database for in-memory stores: stores over the same one see the same data at once, and data stay when a store is closed.
 * With the text that {@link databaseText} gave it begins with what was in that database; another text is `corrupt`.
 *
 * @example
 * ```ts
 * import { createInMemoryDatabase, createInMemoryStore } from '@daybook/core'
 *
 * const database = createInMemoryDatabase()
 * const first = createInMemoryStore({ database })
 * await first.sessions.create({ appName: 'shop', userId: 'ann' })
 * await first.close()
 * await using second = createInMemoryStore({ database })
 * console.log(await second.sessions.count({ appName: 'shop' })) // 1
 * ```
 */
export function createInMemoryDatabase(text?: string): InMemoryDatabase {
  const database: InMemoryData = {
    apps: new Map(),
    states: new Map(),
    memories: new Map(),
    artifacts: new Map(),
    metrics: new Map(),
    lastPlace: 0,
    lastFence: 0,
  }
  if (text !== undefined) restore(database, text)
  return { [data]: database }
}

const textFormat = 'daybook-memory/1'

/**
 * Everything in the database as JSON text: to be kept, compared, or given to {@link createInMemoryDatabase} again. What is
 * written meanwhile is in it as a whole or not at all.
 *
 * @example
 * ```ts
 * import { createInMemoryDatabase, createInMemoryStore, databaseText } from '@daybook/core'
 *
 * const database = createInMemoryDatabase()
 * await createInMemoryStore({ database }).sessions.create({ appName: 'shop', userId: 'ann' })
 * const copy = createInMemoryStore({ database: createInMemoryDatabase(databaseText(database)) })
 * console.log(await copy.sessions.count({ appName: 'shop' })) // 1
 * ```
 */
export function databaseText({
  [data]: { apps, states, memories: kept, artifacts, metrics, lastPlace, lastFence },
}: InMemoryDatabase): string {
  const rows = [...apps.values()].flatMap((ofApp) => [...ofApp.values()])
  // The rest of a row belongs to this process, or follows from its events.
  const sessions = rows.map(({ seqs: _seqs, watchers: _watchers, isDeleted: _isDeleted, ...row }) => row)
  const memories = [...kept.values()].flatMap((ofApp) => [...ofApp.values()].map(({ words: _words, ...row }) => row))
  const saved: Saved = {
    format: textFormat,
    sessions,
    states: [...states],
    memories,
    artifacts: savedArtifacts(artifacts),
    metrics: [...metrics.values()].flatMap((ofApp) => [...ofApp.values()]),
    lastPlace,
    lastFence,
  }
  return JSON.stringify(saved)
}

interface Saved {
  readonly format: string
  readonly sessions: readonly (Omit<SessionRow, 'seqs' | 'watchers' | 'isDeleted' | 'lease'> & {
    readonly lease?: StoredLease | undefined
  })[]
  readonly states: readonly (readonly [string, StateRow])[]
  /** Absent in a text of a version that had no memories. */
  readonly memories?: readonly Omit<MemoryRow, 'words'>[]
  /** Absent in a text of a version that had no artifacts. */
  readonly artifacts?: readonly SavedName[]
  /** Absent in a text of a version that had no metrics. */
  readonly metrics?: readonly KeptMetric[]
  readonly lastPlace?: number
  /** Absent in a text of a version that had no leases. */
  readonly lastFence?: number
}

type SavedName = Omit<ArtifactRow, 'versions'> & {
  readonly versions: readonly (Omit<ArtifactVersionRow, 'bytes' | 'mimeType'> & {
    readonly mimeType?: string | undefined
    readonly bytes: string
  })[]
}

const savedArtifacts = (artifacts: InMemoryData['artifacts']): SavedName[] =>
  [...artifacts.values()]
    .flatMap((names) => [...names.values()])
    .map((row) => ({
      ...row,
      versions: [...row.versions.values()].map((one) => ({ ...one, bytes: Buffer.from(one.bytes).toString('base64') })),
    }))

function restore(database: InMemoryData, text: string): void {
  const { sessions, states, memories = [], artifacts = [], metrics = [], lastPlace = 0, lastFence = 0 } = parsed(text)
  try {
    for (const row of sessions) insertSession(database, restored(row))
    for (const [name, row] of states) database.states.set(name, whole(row))
    for (const row of memories) insertMemory(database, remembered(row))
    for (const name of artifacts) restoreName(database, name)
    for (const row of metrics) putMetric(database, restoredMetric(row))
    database.lastPlace = lastPlace
    database.lastFence = lastFence
  } catch (cause) {
    throw new StoreError('corrupt', 'the text of the database is damaged: a row in it is none', { cause })
  }
}

/** Read once at the beginning, so that no call meets damage later. */
function restored(row: Saved['sessions'][number]): SessionRow {
  for (const { text } of row.events) if (!isJsonObject(JSON.parse(text))) throw new TypeError('an event is no object')
  const seqs = new Map(row.events.map(({ id, seq }) => [id, seq]))
  return { ...whole(row), lease: row.lease, seqs, watchers: new Set(), isDeleted: false }
}

function remembered(row: Omit<MemoryRow, 'words'>): MemoryRow {
  const payload: unknown = JSON.parse(row.payload)
  if (!isJsonObject(payload)) throw new TypeError('a memory is no object')
  return { ...row, words: wordsOfPayload(payload) }
}

function restoreName({ artifacts }: InMemoryData, { versions, ...row }: SavedName): void {
  const key = keyText(row.appName, row.userId, row.sessionId)
  const restoredVersions = versions.map((one): [number, ArtifactVersionRow] => {
    const { version, mimeType, metadata, bytes } = one
    if (!isJsonObject(metadata)) throw new TypeError('the metadata of an artifact are no object')
    // In the order of the members that were saved, so that the same data have the same text.
    return [version, { ...one, mimeType, metadata, bytes: new Uint8Array(Buffer.from(bytes, 'base64')) }]
  })
  const names = artifacts.get(key) ?? new Map<string, ArtifactRow>()
  artifacts.set(key, names.set(row.name, { ...row, versions: new Map(restoredVersions) }))
}

function whole<Row extends { readonly state: JsonObject }>(row: Row): Row {
  if (!isJsonObject(row.state)) throw new TypeError('a state is no object')
  return row
}

function parsed(text: string): Saved {
  let saved: unknown
  try {
    saved = JSON.parse(text)
  } catch (error) {
    throw new StoreError('corrupt', 'the text of the database is no JSON', { cause: error })
  }
  const isOurs =
    isJsonObject(saved) &&
    saved['format'] === textFormat &&
    Array.isArray(saved['sessions']) &&
    Array.isArray(saved['states'])
  if (isOurs) return saved as Saved // databaseText wrote it
  throw new StoreError('corrupt', `the text of the database is not ${textFormat}`)
}

/** Rows are only replaced or changed at the end of a call, after everything that could refuse it. */
export interface InMemoryData {
  /** Sessions of each app by {@link keyText}. */
  readonly apps: Map<string, Map<string, SessionRow>>
  /** States of apps and of users by {@link keyText}: keys of one part and of two cannot meet. */
  readonly states: Map<string, StateRow>
  /** Memories of each app by {@link keyText} of user and id. */
  readonly memories: Map<string, Map<string, MemoryRow>>
  /** Artifacts by name, of each session and each user by {@link keyText} of three ids, the last of which is empty for a user. */
  readonly artifacts: Map<string, Map<string, ArtifactRow>>
  /** Metrics of each app by their keys. */
  readonly metrics: Map<string, Map<string, KeptMetric>>
  /** Of all metrics that were ever recorded. */
  lastPlace: number
  /** Of all leases of all sessions. */
  lastFence: number
}

/** Times are whole microseconds as milliseconds: as exact as a timestamp, and in the same order. */
export interface SessionRow extends SessionKey {
  state: JsonObject
  /** The state given at creation, from which `stateAt` begins. */
  readonly initialState: JsonObject
  revision: number
  readonly createdAt: number
  updatedAt: number
  lastEventAt: number
  lease: StoredLease | undefined
  /** At its `seq` less one. */
  readonly events: EventRow[]
  readonly seqs: Map<string, number>
  /** Called once when there are new events, or the session is gone. */
  readonly watchers: Set<() => void>
  isDeleted: boolean
}

export interface EventRow {
  readonly id: string
  readonly seq: number
  /** The whole event as JSON text, from which each answer is made afresh. */
  readonly text: string
  readonly timestamp: number
  readonly author: string | null
  readonly invocationId: string | null
  readonly branch: string | null
  /** What it did to the session's own state. */
  readonly delta: JsonDelta
}

export interface StateRow {
  readonly state: JsonObject
  readonly revision: number
  readonly updatedAt: number
}

export interface MemoryRow extends CheckedScope, MemoryEntry {
  readonly createdAt: number
  readonly updatedAt: number
}

export interface ArtifactRow extends ArtifactPlace {
  nextVersion: number
  readonly versions: Map<number, ArtifactVersionRow>
}

export interface ArtifactVersionRow {
  readonly version: number
  readonly saveId: string
  readonly mimeType: string | undefined
  readonly metadata: JsonObject
  readonly bytes: Uint8Array
  readonly sha256: string
  readonly createdAt: number
}

/** A text for each list of ids that no other list of ids has. */
export const keyText = (...ids: readonly string[]): string => JSON.stringify(ids)

export const findSession = (
  { apps }: InMemoryData,
  { appName, userId, sessionId }: SessionKey,
): SessionRow | undefined => apps.get(appName)?.get(keyText(userId, sessionId))

export function insertSession({ apps }: InMemoryData, row: SessionRow): void {
  const ofApp = apps.get(row.appName) ?? new Map<string, SessionRow>()
  apps.set(row.appName, ofApp.set(keyText(row.userId, row.sessionId), row))
}

export function deleteSession({ apps, artifacts }: InMemoryData, row: SessionRow): void {
  const ofApp = apps.get(row.appName)
  ofApp?.delete(keyText(row.userId, row.sessionId))
  if (ofApp?.size === 0) apps.delete(row.appName)
  artifacts.delete(keyText(row.appName, row.userId, row.sessionId))
  row.isDeleted = true
  wake(row)
}

export function insertMemory({ memories }: InMemoryData, row: MemoryRow): void {
  const ofApp = memories.get(row.appName) ?? new Map<string, MemoryRow>()
  memories.set(row.appName, ofApp.set(keyText(row.userId, row.id), row))
}

export const sessionsOf = (
  { apps }: InMemoryData,
  { appName, userId }: { readonly appName: string; readonly userId: string | undefined },
): SessionRow[] =>
  [...(apps.get(appName)?.values() ?? [])].filter((row) => userId === undefined || row.userId === userId)

export function wake({ watchers }: SessionRow): void {
  const woken = [...watchers]
  watchers.clear()
  for (const watcher of woken) watcher()
}
