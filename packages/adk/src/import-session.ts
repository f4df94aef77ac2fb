import {
  createRequest,
  isStoreError,
  jsonEquals,
  scopeOf,
  type JsonObject,
  type LoadedSession,
  type SessionKey,
} from '@daybook/core'
import { digest, sessionChecksum } from './import-checksum.ts'
import { appendAll, checkedEvents } from './import-events.ts'
import { refusalOf, signalOf, type ImportJob } from './import-job.ts'
import { inOrder } from './import-order.ts'
import type { ImportedSession, SessionOutcome } from './import-report.ts'
import { jsonObject, type SourceSession } from './sources/layout.ts'
import type { EventPlace } from './sources/table-reader.ts'

interface Amount {
  readonly session: boolean
  readonly events: number
}

const nothing: Amount = { session: false, events: 0 }

export interface SessionResult {
  readonly session: ImportedSession
  readonly written: Amount
  readonly taken: Amount
}

/** Brings a session with its events into the store; or what is missing of it, where a part of it is there. */
export async function importSession(
  job: ImportJob,
  found: SourceSession,
  places: readonly EventPlace[],
): Promise<SessionResult> {
  const key: SessionKey = { appName: found.appName, userId: found.userId, sessionId: found.sessionId }
  const state = await sessionState(job, found, key)
  const keys = new Set<string>()
  const { events, tied } = inOrder(await checkedEvents(job, key, places, keys))
  const digests = events.map((event) => event.digest)
  const source = sessionChecksum(digest(state ?? {}), digests)
  const all: Amount = { session: true, events: events.length }
  const result = (outcome: SessionOutcome, store?: string, written = nothing): SessionResult => ({
    session: { ...key, events: events.length, tied, outcome, checksum: { source, store } },
    written,
    taken: outcome === 'imported' || outcome === 'present' ? all : nothing,
  })
  const different = (content: Content | undefined) => {
    const detail =
      content === undefined
        ? 'it was deleted from the store meanwhile'
        : `the store has it with ${content.digests.length} events that differ, or another state`
    job.leave({ what: 'session', ...key, reason: 'different', detail, count: 1 + events.length })
    return result('different', content?.checksum)
  }

  if (state === undefined) return result('left')
  const wanted = { ...key, ...beginningOf(found, state, keys) }
  const refusal = refusalOf(() => createRequest(wanted, undefined, { limits: job.store.limits, now: Date.now }))
  if (refusal !== undefined) {
    job.leave({ what: 'session', ...key, ...refusal, count: 1 + events.length })
    return result('left')
  }
  const there = await job.store.sessions.get(key, signalOf(job))
  const isNew = there === undefined
  if (isNew && job.dryRun) return result('imported', undefined, all)
  const before = await contentOf(job, there ?? (await created(job, key, wanted)), key)
  if (before === undefined || !isBeginning(before, { state, digests })) return different(before)
  const rest = events.slice(before.digests.length)
  const outcome = isNew || rest.length > 0 ? 'imported' : 'present'
  const written = { session: isNew, events: rest.length }
  if (job.dryRun) return result(outcome, before.checksum, written)
  const isWhole = await appendAll(job, key, rest)
  const after = rest.length === 0 ? before : await contentOf(job, await job.store.sessions.get(key, signalOf(job)), key)
  return isWhole && after?.checksum === source ? result(outcome, source, written) : different(after)
}

/** What a session is created with. A key that no event has touched was there from the beginning. */
function beginningOf({ createdAt }: SourceSession, state: JsonObject, touched: ReadonlySet<string>) {
  const initialState = Object.fromEntries(Object.entries(state).filter(([name]) => !touched.has(name)))
  return { state, initialState, ...(!Number.isNaN(createdAt) && { createdAt }) }
}

async function created(
  job: ImportJob,
  key: SessionKey,
  wanted: SessionKey & ReturnType<typeof beginningOf>,
): Promise<LoadedSession | undefined> {
  await job.store.sessions.create(wanted, signalOf(job)).catch((error: unknown) => {
    if (!isStoreError(error) || error.code !== 'already_exists') throw error // another import was first
  })
  return job.store.sessions.get(key, signalOf(job))
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
const isBeginning = (content: Content, { state, digests }: Pick<Content, 'state' | 'digests'>): boolean =>
  jsonEquals(content.state, state) && content.digests.every((one, i) => one === digests[i])
