import {
  appendRequest,
  createRequest,
  isStoreError,
  jsonEquals,
  scopeOf,
  type JsonObject,
  type Limits,
  type LoadedSession,
  type SessionKey,
  type Store,
} from '@daybook/core'
import { digest, sessionChecksum } from './import-checksum.ts'
import { inOrder, orderableOf, type Orderable } from './import-order.ts'
import type { ImportedSession, NotTaken, NotTakenReason } from './import-report.ts'
import { jsonObject, type SourceSession } from './sources/layout.ts'
import type { EventPlace, TableReader } from './sources/table-reader.ts'

/** What an import works with. */
export interface ImportJob {
  readonly reader: TableReader
  readonly store: Store
  readonly dryRun: boolean
  /** Throws when the caller gave up. */
  readonly check: () => void
  readonly signal: AbortSignal | undefined
  readonly leave: (one: NotTaken) => void
  readonly eventsRead: (count: number) => void
  /** Keys of other scopes in the state of a session, where its layout keeps them there. */
  readonly scopedKeys: (session: SourceSession, state: JsonObject) => void
}

export interface SessionResult {
  readonly session: ImportedSession
  readonly written: { readonly session: boolean; readonly events: number }
  readonly taken: { readonly session: boolean; readonly events: number }
}

interface CheckedEvent extends Orderable {
  readonly digest: string
  readonly bytes: number
  /** The event itself, while there is room to keep those of a session. */
  readonly event: JsonObject | undefined
}

/** Bytes of events that are held in memory: of a session that is larger they are read twice. */
const roomForEvents = 8 * 1024 * 1024

export async function importSession(
  job: ImportJob,
  found: SourceSession,
  places: readonly EventPlace[],
): Promise<SessionResult> {
  const key: SessionKey = { appName: found.appName, userId: found.userId, sessionId: found.sessionId }
  const state = await sessionState(job, found, key)
  const keys = new Set<string>()
  const { events, tied } = inOrder(await checkedEvents(job, key, places, keys))
  const source = sessionChecksum(
    digest(state ?? {}),
    events.map((event) => event.digest),
  )
  const base = { ...key, events: events.length, tied }
  const nothing = { session: false, events: 0 }
  const notWritten = (outcome: 'left' | 'different', store?: string): SessionResult => ({
    session: { ...base, outcome, checksum: { source, store } },
    written: nothing,
    taken: nothing,
  })
  if (state === undefined) return notWritten('left')
  const initialState = Object.fromEntries(Object.entries(state).filter(([name]) => !keys.has(name)))
  const createdAt = Number.isNaN(found.createdAt) ? undefined : found.createdAt
  const wanted = { ...key, state, initialState, ...(createdAt !== undefined && { createdAt }) }
  const refusal = refusalOf(() => createRequest(wanted, undefined, { limits: job.store.limits, now: Date.now }))
  if (refusal !== undefined) {
    job.leave({ what: 'session', ...key, ...refusal, count: 1 + events.length })
    return notWritten('left')
  }

  let target = await job.store.sessions.get(key, signalOf(job))
  const isNew = target === undefined
  if (target === undefined) {
    if (job.dryRun) {
      const all = { session: true, events: events.length }
      return {
        session: { ...base, outcome: 'imported', checksum: { source, store: undefined } },
        written: all,
        taken: all,
      }
    }
    await job.store.sessions.create(wanted, signalOf(job)).catch((error: unknown) => {
      if (!isStoreError(error) || error.code !== 'already_exists') throw error // another import was first
    })
    target = await job.store.sessions.get(key, signalOf(job))
  }
  const before = await contentOf(job, target, key)
  const isPart = before !== undefined && isBeginning(before, { state, events })
  if (before === undefined || !isPart) return different(job, key, before, events.length, notWritten)
  const rest = events.slice(before.digests.length)
  if (job.dryRun) {
    const outcome = rest.length === 0 ? 'present' : 'imported'
    return {
      session: { ...base, outcome, checksum: { source, store: before.checksum } },
      written: { session: false, events: rest.length },
      taken: { session: true, events: events.length },
    }
  }
  const refused = await appendAll(job, key, rest)
  const after = rest.length === 0 ? before : await contentOf(job, await job.store.sessions.get(key, signalOf(job)), key)
  if (refused !== undefined || after?.checksum !== source) return different(job, key, after, events.length, notWritten)
  return {
    session: {
      ...base,
      outcome: isNew || rest.length > 0 ? 'imported' : 'present',
      checksum: { source, store: after.checksum },
    },
    written: { session: isNew, events: rest.length },
    taken: { session: true, events: events.length },
  }
}

function different(
  job: ImportJob,
  key: SessionKey,
  content: Content | undefined,
  events: number,
  result: (outcome: 'different', store?: string) => SessionResult,
): SessionResult {
  const what =
    content === undefined
      ? 'it was deleted from the store meanwhile'
      : `the store has it with ${content.digests.length} events that differ, or another state`
  job.leave({ what: 'session', ...key, reason: 'different', detail: what, count: 1 + events })
  return result('different', content?.checksum)
}

async function sessionState(job: ImportJob, found: SourceSession, key: SessionKey): Promise<JsonObject | undefined> {
  const { layout } = job.reader
  let state: JsonObject
  try {
    state = jsonObject(await job.reader.state(key), 'state')
  } catch {
    job.leave({ what: 'session', ...key, reason: 'unreadable', detail: 'its state is no JSON object' })
    return undefined
  }
  const entries = Object.entries(state)
  const own = entries.filter(([name]) => scopeOf(name).scope === 'session')
  if (own.length === entries.length) return state
  if (layout.scopesInSessions) job.scopedKeys(found, state)
  else
    job.leave({
      what: 'session',
      ...key,
      reason: 'prefixed_key',
      detail: 'keys in its state that have the prefix of another scope are left out',
      count: entries.length - own.length,
    })
  return Object.fromEntries(own)
}

/** Reads all events of a session once, and answers what is needed to put them in order. */
async function checkedEvents(
  job: ImportJob,
  key: SessionKey,
  places: readonly EventPlace[],
  keys: Set<string>,
): Promise<readonly CheckedEvent[]> {
  const { layout, time } = job.reader
  const checked: CheckedEvent[] = []
  let room = roomForEvents
  for await (const { id, row } of rowsOf(
    job,
    key,
    places.map((place) => place.id),
  )) {
    job.eventsRead(1)
    let event: JsonObject
    try {
      event = layout.event(row, time)
    } catch {
      job.leave({ what: 'event', ...key, eventId: id, reason: 'unreadable', detail: 'its data are no JSON object' })
      continue
    }
    const { refusal, request } = requestOf(key, event, job.store.limits)
    if (request === undefined) {
      job.leave({ what: 'event', ...key, eventId: id, ...refusal })
      continue
    }
    const { payload, bytes, delta, timestamp } = request
    for (const name of [...Object.keys(delta.set), ...delta.unset]) keys.add(name)
    room -= bytes
    checked.push({
      ...orderableOf(id, timestamp, payload),
      digest: digest(payload),
      bytes,
      event: room > 0 ? payload : undefined,
    })
  }
  if (layout.left !== undefined && places.length > 0)
    job.leave({ what: 'event', ...key, ...layout.left, count: places.length })
  return checked
}

function requestOf(key: SessionKey, event: JsonObject, limits: Limits) {
  try {
    const [request] = appendRequest(key, event, undefined, { limits, now: Date.now }).events
    return { request, refusal: undefinedEvent }
  } catch (error) {
    return { request: undefined, refusal: refusalFor(error) }
  }
}

const undefinedEvent: Refusal = { reason: 'invalid', detail: 'it is no event' }

interface Refusal {
  readonly reason: NotTakenReason
  readonly detail: string
}

function refusalOf(check: () => unknown): Refusal | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return refusalFor(error)
  }
}

export function refusalFor(error: unknown): Refusal {
  if (!isStoreError(error)) throw error
  return { reason: error.code === 'limit_exceeded' ? 'over_limit' : 'invalid', detail: error.message }
}

/** Reads bodies in pieces of some megabytes, whatever the size of an event. */
async function* rowsOf(job: ImportJob, key: SessionKey, ids: readonly string[]) {
  let size = 32
  let done = 0
  while (done < ids.length) {
    job.check()
    const wanted = ids.slice(done, done + size)
    done += wanted.length
    const rows = await job.reader.bodies(key, wanted)
    const byId = new Map(rows.map((row) => [String(row['id']), row]))
    let length = 0
    for (const id of wanted) {
      const row = byId.get(id)
      if (row === undefined) continue // gone since, where the connection sees no snapshot
      for (const value of Object.values(row)) length += typeof value === 'string' ? value.length : 0
      yield { id, row }
    }
    const average = Math.max(1, length / wanted.length)
    size = Math.max(1, Math.min(512, Math.floor((4 * 1024 * 1024) / average)))
  }
}

/** Appends what is missing, in order. Answers the refusal of the store, if another content came in between. */
async function appendAll(job: ImportJob, key: SessionKey, rest: readonly CheckedEvent[]): Promise<string | undefined> {
  for (const batch of batchesOf(rest, job.store.limits)) {
    job.check()
    const events = await bodiesOf(job, key, batch)
    try {
      await job.store.events.append(key, events, { deltas: 'record', ...signalOf(job) })
    } catch (error) {
      if (isStoreError(error) && (error.code === 'conflict' || error.code === 'not_found')) return error.message
      throw error
    }
  }
  return undefined
}

async function bodiesOf(job: ImportJob, key: SessionKey, batch: readonly CheckedEvent[]): Promise<JsonObject[]> {
  const { layout, time } = job.reader
  const missing = batch.filter(({ event }) => event === undefined).map(({ id }) => id)
  const read = new Map<string, JsonObject>()
  for await (const { id, row } of rowsOf(job, key, missing)) read.set(id, layout.event(row, time))
  const bodies: JsonObject[] = []
  for (const { id, event = read.get(id) } of batch) if (event !== undefined) bodies.push(event)
  return bodies
}

/** As many events as go into one transaction without keeping others waiting for long. */
function* batchesOf(events: readonly CheckedEvent[], { batchBytes, batchEvents }: Limits) {
  const most = Math.min(500, batchEvents)
  const bytesAtMost = Math.min(4 * 1024 * 1024, batchBytes)
  let batch: CheckedEvent[] = []
  let bytes = 0
  for (const event of events) {
    if (batch.length > 0 && (batch.length === most || bytes + event.bytes > bytesAtMost)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(event)
    bytes += event.bytes
  }
  if (batch.length > 0) yield batch
}

/** What the store has of a session. */
interface Content {
  readonly state: JsonObject
  readonly digests: readonly string[]
  readonly checksum: string
}

async function contentOf(
  job: ImportJob,
  target: LoadedSession | undefined,
  key: SessionKey,
): Promise<Content | undefined> {
  if (target === undefined) return undefined
  const own = Object.entries(target.state).filter(([name]) => scopeOf(name).scope === 'session')
  const state = Object.fromEntries(own) as JsonObject // the store answers JSON
  const digests: string[] = []
  for (let cursor: string | undefined; ;) {
    job.check()
    const page = await job.store.events.list(key, {
      limit: 100,
      ...(cursor !== undefined && { cursor }),
      ...signalOf(job),
    })
    for (const { event } of page.items) digests.push(digest(event as JsonObject)) // the store answers JSON
    cursor = page.nextCursor
    if (cursor === undefined) break
  }
  return { state, digests, checksum: sessionChecksum(digest(state), digests) }
}

/** Whether the store has what an import of this session would have written so far. */
const isBeginning = (
  content: Content,
  { state, events }: { state: JsonObject; events: readonly CheckedEvent[] },
): boolean => jsonEquals(content.state, state) && content.digests.every((one, i) => one === events[i]?.digest)

export const signalOf = ({ signal }: Pick<ImportJob, 'signal'>) => (signal === undefined ? {} : { signal })
