import {
  byteLength,
  isStoreError,
  StoreError,
  toJson,
  toStorableText,
  type AddedMemory,
  type AgentEvent,
  type FoundMemory,
  type Limits,
  type MemoryScope,
  type NewMemory,
  type Store,
} from '@daybook/core'
import type {
  BaseMemoryService,
  Event,
  MemoryEntry,
  SearchMemoryRequest,
  SearchMemoryResponse,
  Session,
} from '@google/adk'
import type { DaybookSessionService } from './daybook-session-service.ts'
import { createStoreSource, sharedSource, type StoreSource } from './store-source.ts'

export interface DaybookMemoryServiceOptions {
  /** How many memories a search answers at most. Default 20. ADK's requests cannot say. */
  readonly limit?: number
}

/** A user's memories in general. */
interface OfUser {
  readonly appName: string
  readonly userId: string
  /** Kept with each memory. */
  readonly customMetadata?: Readonly<Record<string, unknown>>
}

export interface AddEventsToMemoryRequest extends OfUser {
  readonly events: readonly Event[]
  /** The session that they are from: an event is known by it and by its id. */
  readonly sessionId?: string
}

export interface AddMemoryRequest extends OfUser {
  /** With an `id` of yours it is safe to repeat: the same id again is that memory, and says what it says now. */
  readonly memories: readonly (MemoryEntry & { readonly id?: string })[]
}

/**
 * ADK's memory in a Daybook store: words of any language are found, whatever database it is, and adding again is safe.
 *
 * @example
 * ```ts
 * import { DaybookMemoryService, DaybookSessionService } from '@daybook/adk'
 * import { createInMemoryStore } from '@daybook/core'
 * import { createEvent } from '@google/adk'
 *
 * const sessionService = new DaybookSessionService(createInMemoryStore())
 * const memoryService = new DaybookMemoryService(sessionService)
 * const session = await sessionService.createSession({ appName: 'shop', userId: 'ann' })
 * const content = { role: 'user', parts: [{ text: 'My shoe size is 39.' }] }
 * await sessionService.appendEvent({ session, event: createEvent({ author: 'user', content }) })
 * await memoryService.addSessionToMemory(session)
 * const { memories } = await memoryService.searchMemory({ appName: 'shop', userId: 'ann', query: 'Which SIZE?' })
 * console.log(memories.map((memory) => memory.content.parts?.[0]?.text)) // [ 'My shoe size is 39.' ]
 * ```
 */
export class DaybookMemoryService implements BaseMemoryService, AsyncDisposable {
  readonly #source: StoreSource
  readonly #limit: number | undefined

  /**
   * @param store The session service whose store it is to share, so that it remembers its sessions as they are stored; or a
   * store that is yours, or a function that opens one, as {@link DaybookSessionService} takes them.
   */
  constructor(
    store: DaybookSessionService | Store | (() => Promise<Store>),
    { limit }: DaybookMemoryServiceOptions = {},
  ) {
    this.#source = sharedSource(store) ?? createStoreSource(store as Exclude<typeof store, DaybookSessionService>) // the other two
    this.#limit = limit
  }

  /** Opens and migrates what is to be opened. Every method does so itself; call it to learn early whether it works. */
  async init(): Promise<void> {
    await this.#source.open()
  }

  /**
   * Remembers every event of the session that has at least one part, as the store has them, in one transaction; what was
   * remembered of it before is replaced. Of a session that is not in this store the events are taken that the object has: those
   * are remembered, and nothing is taken away.
   */
  async addSessionToMemory({ appName, userId, id, events }: Session): Promise<void> {
    const { memories } = await this.#source.open()
    try {
      await memories.add({ appName, userId }, { session: { appName, userId, sessionId: id } })
    } catch (error) {
      if (!isStoreError(error) || error.code !== 'not_found') throw error
      await this.addEventsToMemory({ appName, userId, events, sessionId: id })
    }
  }

  /** The user's memories and the app's that have a word of the query, those with most of its words first. */
  async searchMemory({ appName, userId, query }: SearchMemoryRequest): Promise<SearchMemoryResponse> {
    const { memories } = await this.#source.open()
    const limit = this.#limit
    const { items } = await memories.search({
      ...scopeOf({ appName, userId }),
      query,
      ...(limit !== undefined && { limit }),
    })
    return { memories: items.map((item) => entryOf(item)) }
  }

  /** Remembers those of the events that have at least one part. One that is known, by its session and its id, is remembered once. */
  async addEventsToMemory({ events, sessionId, customMetadata, ...user }: AddEventsToMemoryRequest): Promise<void> {
    const { memories, limits } = await this.#source.open()
    const sizeOf = ({ content, author }: Event, i: number) =>
      sizeOfEntry({ content, author, metadata: customMetadata }, `events[${i}]`, limits)
    for (const some of batches(events, limits, sizeOf))
      await memories.add(scopeOf(user), {
        events: some as unknown as readonly AgentEvent[], // an event of ADK's is one, with its own names for the rest
        ...(sessionId !== undefined && { sessionId }),
        ...(customMetadata !== undefined && { metadata: customMetadata }),
      })
  }

  /** Remembers entries as they are, and answers their ids. */
  async addMemory({ memories: entries, customMetadata, ...user }: AddMemoryRequest): Promise<readonly AddedMemory[]> {
    const { memories, limits } = await this.#source.open()
    const given = entries.map((entry, i) => memoryOf(entry, `memories[${i}]`, customMetadata))
    const added: AddedMemory[] = []
    for (const some of batches(given, limits, (entry, i) => sizeOfEntry(entry, `memories[${i}]`, limits)))
      added.push(...(await memories.add(scopeOf(user), some)).items)
    return added
  }

  /** Closes the store if this service opened it. Idempotent. */
  async close(): Promise<void> {
    await this.#source.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** One that is missing or empty is refused by the store, and not taken for the memories of the app, which all its users find. */
const scopeOf = ({ appName, userId }: { readonly appName: string; readonly userId?: string }): MemoryScope => ({
  appName,
  userId: userId ?? '',
})

/** As many in a row as the store takes in one call. One that is too large by itself goes alone, for the store to refuse it. */
function* batches<T>(
  items: readonly T[],
  limits: Limits,
  sizeOf: (item: T, i: number) => number,
): Generator<readonly T[]> {
  let batch: T[] = []
  let bytes = 0
  for (const [i, item] of items.entries()) {
    const size = sizeOf(item, i)
    if (batch.length === limits.batchEvents || (batch.length > 0 && bytes + size > limits.batchBytes)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(item)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/** The bytes that the store counts. */
function sizeOfEntry(
  { content, author, metadata }: { readonly [name in 'content' | 'author' | 'metadata']?: unknown },
  field: string,
  { eventBytes, eventDepth }: Limits,
): number {
  const bounds = { depth: eventDepth, name: 'eventDepth', bytes: eventBytes }
  const payload = toJson({ content, metadata }, field, bounds)
  return byteLength(JSON.stringify(payload)) + (typeof author === 'string' ? byteLength(toStorableText(author)) : 0)
}

function memoryOf(
  { id, content, author, timestamp }: MemoryEntry & { readonly id?: string },
  field: string,
  metadata: OfUser['customMetadata'],
): NewMemory {
  return {
    content,
    ...(id !== undefined && { id }),
    ...(author !== undefined && { author }),
    ...(timestamp !== undefined && { timestamp: timeOf(timestamp, `${field}.timestamp`) }),
    ...(metadata !== undefined && { metadata }),
  }
}

function timeOf(timestamp: string, field: string): number {
  const time = Date.parse(timestamp)
  if (Number.isNaN(time)) throw new StoreError('invalid_argument', `${field} is no time in ISO 8601`, { field })
  return time
}

/** What was remembered as a text alone is content of that text. */
function entryOf({ content, text, author, timestamp }: FoundMemory): MemoryEntry {
  return {
    content: isContent(content) ? content : { parts: [{ text: text ?? (typeof content === 'string' ? content : '') }] },
    ...(author !== undefined && { author }),
    timestamp: new Date(timestamp).toISOString(),
  }
}

const isContent = (content: unknown): content is MemoryEntry['content'] =>
  typeof content === 'object' && content !== null && !Array.isArray(content)
