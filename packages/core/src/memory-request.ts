import { createHash } from 'node:crypto'
import {
  checkedId,
  checkedOptionalText,
  checkedOptions,
  checkedRecord,
  checkedSessionKey,
  listOf,
  membersOf,
} from './arguments.ts'
import { checkedEmbedding } from './embeddings.ts'
import { StoreError } from './errors.ts'
import { uuidv7 } from './ids.ts'
import {
  byteLength,
  isJsonObject,
  reading,
  toJson,
  toJsonObject,
  toStorableText,
  type JsonObject,
  type JsonValue,
} from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import { hasParts, textOf } from './memory-text.ts'
import { searchWords } from './search-words.ts'
import type { AddedMemory } from './memories.ts'
import { unsupported } from './refusals.ts'
import type { SessionKey } from './sessions.ts'
import { checkedTimestamp } from './time.ts'

/** What the requests of memories are checked by. */
export interface MemoryContext {
  readonly limits: Limits
  readonly now: () => number
  /** How many numbers an embedding has; `undefined` where there are none. */
  readonly embeddingDimensions: number | undefined
}

/** Of a user, or with an empty `userId`, which no user can have, of the app itself. */
export interface CheckedScope {
  readonly appName: string
  readonly userId: string
}

/** An entry that was checked and copied, ready to be stored. */
export interface MemoryEntry {
  readonly id: string
  readonly sessionId: string | null
  readonly eventId: string | null
  readonly author: string | null
  readonly timestamp: number
  /** `content`, `text` and `metadata`, as far as they were given, as JSON text. */
  readonly payload: string
  readonly words: readonly string[]
  readonly embedding: readonly number[] | null
  /** The same for two entries that say the same; a timestamp that the store gave does not count. */
  readonly digest: string
}

export interface MemoryAddRequest {
  readonly scope: CheckedScope
  readonly entries: readonly MemoryEntry[]
  /** The session to read the entries from, instead. */
  readonly session: SessionKey | undefined
  /** Of each entry that is read from the session. */
  readonly metadata: JsonObject | undefined
  readonly generated: readonly string[]
}

const entryNames = [
  'id',
  'content',
  'text',
  'author',
  'timestamp',
  'metadata',
  'sessionId',
  'eventId',
  'embedding',
] as const

export const invalid = (field: string, what: string): StoreError =>
  new StoreError('invalid_argument', `${field} ${what}`, { field })

export function checkedScope(scope: unknown, limits: Limits, field = 'scope'): CheckedScope {
  const { appName, userId } = membersOf(scope, field, ['appName', 'userId'])
  return {
    appName: checkedId(appName, `${field}.appName`, limits),
    userId: userId === undefined ? '' : checkedId(userId, `${field}.userId`, limits),
  }
}

export function memoryAddRequest(
  scope: unknown,
  source: unknown,
  options: unknown,
  context: MemoryContext,
): MemoryAddRequest {
  checkedOptions(options, [])
  const whose = checkedScope(scope, context.limits)
  const none = { scope: whose, entries: [], session: undefined, metadata: undefined, generated: [] }
  const list = listOf(source, 'entries', { most: context.limits.batchEvents, unit: 'entries' })
  if (list !== undefined)
    return { ...none, ...batch(list, 'entries', (one, field) => newEntry(one, field, context), context) }
  const { session, events } = membersOf(source, 'source', ['session', 'events'])
  if (session !== undefined) return { ...none, ...ofSession(whose, source, context) }
  if (events === undefined)
    return { ...none, ...batch([source], 'entry', (one) => newEntry(one, 'entry', context), context) }
  return { ...none, ...ofEvents(source, context) }
}

function ofSession(scope: CheckedScope, source: unknown, { limits }: MemoryContext) {
  const { session, metadata } = checkedOptions(source, ['session', 'metadata'], 'source')
  const key = checkedSessionKey(session, limits)
  if (key.appName !== scope.appName || key.userId !== scope.userId)
    throw invalid('source.session', 'is not of this scope: the memories of a session are those of its user')
  return { session: key, metadata: checkedMetadata(metadata, 'source.metadata', limits) }
}

function ofEvents(source: unknown, context: MemoryContext) {
  const { limits } = context
  const { events, sessionId, metadata } = checkedOptions(source, ['events', 'sessionId', 'metadata'], 'source')
  const session = optionalId(sessionId, 'source.sessionId', limits)
  const shared = checkedMetadata(metadata, 'source.metadata', limits)
  const list = listOf(events, 'events', { most: limits.batchEvents, unit: 'entries' })
  if (list === undefined) throw invalid('source.events', 'must be a list of events')
  return batch(list, 'events', (one, field) => entryOfGiven(one, field, session, shared, context), context)
}

function entryOfGiven(
  event: unknown,
  field: string,
  sessionId: string | null,
  metadata: JsonObject | undefined,
  context: MemoryContext,
): MemoryEntry | undefined {
  const { limits, now } = context
  const given = toJsonObject(event, field, bounds(limits))
  const time = given['timestamp']
  const eventId = optionalId(given['id'], `${field}.id`, limits)
  const author = checkedOptionalText(given['author'], `${field}.author`) ?? null
  const timestamp = checkedTimestamp(time === undefined ? now() : time, `${field}.timestamp`)
  const { content } = given
  if (!hasParts(content)) return undefined
  return entryOf(
    { ...noEntry, content, metadata, sessionId, eventId, author, timestamp, isTimestampGiven: time !== undefined },
    now,
  )
}

/** What there is to remember of a stored event; `undefined` where that is nothing. */
export function entryOfEvent(
  event: JsonObject & { readonly id: string; readonly timestamp: number },
  sessionId: string,
  metadata: JsonObject | undefined,
  limits: Limits,
): MemoryEntry | undefined {
  const { content, author, id, timestamp } = event
  if (!hasParts(content)) return undefined
  const said = typeof author === 'string' ? author : null
  const entry = entryOf({
    ...noEntry,
    content,
    metadata,
    sessionId,
    eventId: id,
    author: said,
    timestamp,
    isTimestampGiven: true,
  })
  checkedSize(entry, 'source.session', limits)
  return entry
}

/** The bytes of an author as it is stored: what a column of MySQL holds. */
const authorBytes = 65_535

/** The size of an entry, which is bounded as that of an event is. */
function checkedSize({ payload, author, embedding }: MemoryEntry, field: string, limits: Limits): number {
  const said = author === null ? 0 : byteLength(toStorableText(author))
  checkLimit(`${field}.author`, 'bytes', authorBytes, said)
  const size = byteLength(payload) + said + 4 * (embedding?.length ?? 0)
  checkLimit(field, 'bytes', limits.eventBytes, size)
  return size
}

/** One after the other, within the bounds of a batch. */
function batch(
  list: readonly unknown[],
  field: string,
  read: (one: unknown, field: string) => MemoryEntry | undefined,
  { limits }: MemoryContext,
): { readonly entries: readonly MemoryEntry[]; readonly generated: readonly string[] } {
  const entries: MemoryEntry[] = []
  let bytes = 0
  for (const [i, one] of list.entries()) {
    const name = field === 'entry' ? field : `${field}[${i}]`
    const entry = read(one, name)
    if (entry === undefined) continue
    bytes += checkedSize(entry, name, limits)
    entries.push(entry)
    if (bytes > 2 * limits.batchBytes) break // far over it: refused below, whatever is still to come
  }
  checkLimit(field, 'bytes', limits.batchBytes, bytes)
  return { entries, generated: entries.map(({ id }) => id) }
}

function newEntry(given: unknown, field: string, context: MemoryContext): MemoryEntry {
  const { limits, now, embeddingDimensions } = context
  const names: readonly string[] = entryNames
  const stray = reading(field, () => Object.keys(checkedRecord(given, field))).find((name) => !names.includes(name))
  if (stray !== undefined) throw invalid(`${field}.${stray}`, `is no part of a memory; there are ${names.join(', ')}`)
  const { id, content, text, author, timestamp, metadata, sessionId, eventId, embedding } = membersOf(
    given,
    field,
    entryNames,
  )
  if (embedding !== undefined && embeddingDimensions === undefined) throw unsupported('vectorSearch', 'embeddings')
  const entry = {
    id: optionalId(id, `${field}.id`, limits),
    content: content === undefined ? undefined : toJson(content, `${field}.content`, bounds(limits)),
    text: checkedOptionalText(text, `${field}.text`),
    author: checkedOptionalText(author, `${field}.author`) ?? null,
    metadata: checkedMetadata(metadata, `${field}.metadata`, limits),
    sessionId: optionalId(sessionId, `${field}.sessionId`, limits),
    eventId: optionalId(eventId, `${field}.eventId`, limits),
    embedding:
      embedding === undefined ? null : checkedEmbedding(embedding, `${field}.embedding`, embeddingDimensions ?? 0),
    isTimestampGiven: timestamp !== undefined,
    timestamp: checkedTimestamp(timestamp === undefined ? now() : timestamp, `${field}.timestamp`),
  }
  if (entry.content === undefined && entry.text === undefined) throw invalid(field, 'has neither content nor text')
  return entryOf(entry, now)
}

interface Said {
  readonly id: string | null
  readonly content: JsonValue | undefined
  readonly text: string | undefined
  readonly author: string | null
  readonly metadata: JsonObject | undefined
  readonly sessionId: string | null
  readonly eventId: string | null
  readonly embedding: readonly number[] | null
  readonly isTimestampGiven: boolean
  readonly timestamp: number
}

const noEntry = { id: null, text: undefined, embedding: null }

function entryOf(said: Said, now?: () => number): MemoryEntry {
  const { content, text, author, metadata, sessionId, eventId, embedding, timestamp } = said
  const payload: JsonObject = {
    ...(content !== undefined && { content }),
    ...(text !== undefined && { text }),
    ...(metadata !== undefined && { metadata }),
  }
  const time = said.isTimestampGiven ? timestamp : null
  return {
    id: said.id ?? (eventId === null ? uuidv7(now) : idOfEvent(sessionId, eventId)),
    sessionId,
    eventId,
    author,
    timestamp,
    payload: JSON.stringify(payload),
    words: wordsOfPayload(payload),
    embedding,
    digest: hash([sessionId, eventId, author, time, inOrder(payload), embedding === null ? null : [...embedding]]),
  }
}

/** The same for the same event, so that it is found again; it is no id that anybody else would give. */
const idOfEvent = (sessionId: string | null, eventId: string): string => `event-${hash([sessionId, eventId])}`

const hash = (value: JsonValue): string => createHash('sha256').update(JSON.stringify(value)).digest('base64url')

/** With the keys of every object in one order, since their order says nothing. An object stays one: a list of pairs is another value. */
function inOrder(value: JsonValue): JsonValue {
  if (Array.isArray(value)) return value.map((item) => inOrder(item))
  if (!isJsonObject(value)) return value
  const members = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return { members: members.map(([key, member]) => [key, inOrder(member)]) }
}

const bounds = ({ eventDepth, eventBytes }: Limits) => ({ depth: eventDepth, name: 'eventDepth', bytes: eventBytes })

const optionalId = (value: unknown, field: string, limits: Limits): string | null =>
  value === undefined || value === null ? null : checkedId(value, field, limits)

function checkedMetadata(value: unknown, field: string, limits: Limits): JsonObject | undefined {
  return value === undefined ? undefined : toJsonObject(value, field, bounds(limits))
}

/**
 * What became of entries, and which of them are to be written: of several with one id the last one, unless the store has the
 * same. `stored` is the digest of each id that was there.
 */
export function outcomesOf(
  entries: readonly MemoryEntry[],
  stored: ReadonlyMap<string, string>,
): { readonly items: readonly AddedMemory[]; readonly changed: readonly MemoryEntry[] } {
  const known = new Map(stored)
  const last = new Map<string, MemoryEntry>()
  const items = entries.map((entry): AddedMemory => {
    const { id, digest } = entry
    const before = known.get(id)
    known.set(id, digest)
    if (before === digest) return { id, outcome: 'duplicate' }
    last.set(id, entry)
    return { id, outcome: before === undefined ? 'added' : 'replaced' }
  })
  return { items, changed: [...last.values()].filter(({ id, digest }) => stored.get(id) !== digest) }
}

/** The words by which what is stored is found. */
export function wordsOfPayload(payload: JsonObject): string[] {
  const { text, content } = payload
  return searchWords(typeof text === 'string' ? text : textOf(content))
}
