import {
  byteLength,
  fromStorableJson,
  fromStorableText,
  isJsonObject,
  StoreError,
  toStorableJson,
  toStorableText,
  type JsonDelta,
  type JsonObject,
  type JsonValue,
  type CheckedScope,
  type Memory,
  type MemoryEntry,
  type MetricEntry,
  type NewEvent,
  type SessionKey,
  type StateKey,
  type StoredEvent,
  type UserKey,
} from '@daybook/core'
import type { StoredDelta } from './dialect.ts'
import type { CodecContext, Codecs, Encoded, PayloadCodec } from './payload-codec.ts'
import { documentIn, ReadDocument } from './read-document.ts'

// What a codec wrote is told from what is stored as it is by a mark that no plain value can have:
//
// - The payload of an event is an object, and its `id` a string. An encoded one is `{ "codec": "k1", "data": "…" }`.
// - A state document stays an object with its own keys, so that a statement can merge a delta into it. An encoded value is
//   the string U+0001, `=` or `<`, the codec's id, `:`, Base64. In the storable form of json.ts U+0001 is always followed by
//   U+0002 or U+0003, so that no other string begins like that. `<` says that it takes less room than the plain value.
// - The content of a metric is any JSON in that form. An encoded one is such a string.

/** Whose state it is: of a session, a user, an app. */
type StatePlace = StateKey | SessionKey

/** The one form in which events and state go into the database, and come out of it. */
export interface StoredForm {
  /** Whether a codec writes: the database cannot look into what is stored then. */
  readonly isEncoded: boolean
  /** Under which words of memories may be stored, the writer's first; `undefined` is none. */
  readonly searchKeys: readonly (Uint8Array | undefined)[]
  /** The text of an event's payload. */
  payload(event: NewEvent, user: UserKey): string
  /** @param stored its text, or what the driver parsed out of it */
  eventOf(stored: unknown, seq: number, id: unknown, user: UserKey): StoredEvent
  /** The text of a memory's payload. */
  memory(entry: Pick<MemoryEntry, 'id' | 'payload'>, scope: CheckedScope): string
  memoryOf(stored: unknown, at: CheckedScope & { readonly memoryId: string }): MemoryPayload
  /** The text of what was said in a metric, out of its storable form. */
  metricContent(storable: string, metric: MetricKey): string
  metricContentOf(stored: string, metric: MetricKey): string
  /**
   * The text of a state document.
   *
   * @param before the document that {@link StoredForm.stateOf} answered for the same place: what did not change in it is not
   *   encoded again
   */
  state(document: JsonObject, place: StatePlace, before?: JsonObject): string
  stateOf(stored: unknown, place: StatePlace): JsonObject
  delta(delta: JsonDelta, place: StatePlace): StoredDelta
}

const encodedValue = /^\u0001[=<]([^:]*):([\s\S]*)$/
const encodedMark = String.raw`\u0001`

/** How the text of a state document shows that one of its values takes less room than the plain one. */
export const compactMark: string = String.raw`\u0001<`

/** Whether one of the values of a delta takes less room than the plain one. */
export const isCompact = ({ set }: StoredDelta): boolean => set.some(([, text]) => text.startsWith(`"${compactMark}`))

export function createStoredForm(codecs: Codecs): StoredForm {
  const { writer } = codecs
  /** For a document that was read, each value that the writer had encoded, with the text in which it was stored. */
  const origins = new WeakMap<JsonObject, ReadonlyMap<string, Origin>>()

  const encoded = (codec: PayloadCodec, value: JsonValue, context: CodecContext): string => {
    const text = JSON.stringify(value)
    const { id, base64 } = codecs.encode(codec, text, context)
    const sealed = (mark: string) => JSON.stringify(`\u0001${mark}${id}:${base64}`)
    return sealed(sealed('<').length < byteLength(text) ? '<' : '=')
  }

  const stateValue = (value: JsonValue, place: StatePlace, key: string): string =>
    writer === undefined ? toStorableJson(value) : encoded(writer, value, stateContext(place, key))

  return {
    isEncoded: writer !== undefined,
    searchKeys: codecs.searchKeys,
    payload({ id, text }, { appName, userId }) {
      if (writer === undefined) return text
      const sealed = codecs.encode(writer, text, { what: 'event', appName, userId, eventId: id })
      return `{"codec":"${sealed.id}","data":"${sealed.base64}"}`
    },
    eventOf(came, seq, id, user) {
      const stored = documentIn(came)
      if (isStoredPayload(stored)) return { seq, event: stored } // what a driver has parsed, and no codec wrote
      const { appName, userId } = user
      const eventId = String(id)
      const given = typeof stored === 'string' ? parsed(stored, `event ${eventId}`) : stored
      const sealed = encodedEvent(given)
      const event =
        sealed === undefined
          ? given
          : parsed(codecs.decode(sealed, { what: 'event', appName, userId, eventId }), `event ${eventId}`)
      if (!isStoredPayload(event)) throw new StoreError('corrupt', `event ${eventId} is not stored as an event`)
      return { seq, event }
    },
    memory({ id, payload }, scope) {
      if (writer === undefined) return payload
      const sealed = codecs.encode(writer, payload, memoryContext(scope, id))
      return `{"codec":"${sealed.id}","data":"${sealed.base64}"}`
    },
    memoryOf(came, { memoryId, ...scope }) {
      const stored = documentIn(came)
      const what = `memory ${memoryId}`
      const given = typeof stored === 'string' ? parsed(stored, what) : stored
      const sealed = encodedEvent(given)
      const payload = sealed === undefined ? given : parsed(codecs.decode(sealed, memoryContext(scope, memoryId)), what)
      if (!isMemoryPayload(payload)) throw new StoreError('corrupt', `${what} is not stored as a memory`)
      return payload
    },
    metricContent(storable, metric) {
      if (writer === undefined) return storable
      const { id, base64 } = codecs.encode(writer, storable, metricContext(metric))
      return JSON.stringify(`\u0001=${id}:${base64}`)
    },
    metricContentOf(stored, metric) {
      const sealed = stored.startsWith(`"${encodedMark}`)
        ? encodedState(parsed(stored, 'the content of a metric'))
        : undefined
      return sealed === undefined ? stored : codecs.decode(sealed, metricContext(metric))
    },
    state(document, place, before) {
      if (writer === undefined) return toStorableJson(document)
      const known = before === undefined ? undefined : origins.get(before)
      const members = Object.entries(document).map(([key, value]) => {
        const origin = known?.get(key)
        const text = origin !== undefined && origin.value === value ? origin.text : stateValue(value, place, key)
        return `${JSON.stringify(toStorableText(key))}:${text}`
      })
      return `{${members.join(',')}}`
    },
    stateOf(stored, place) {
      if (stored === null || stored === undefined) return {} // no row for that scope
      if (stored instanceof ReadDocument) return stored.value
      const text = typeof stored === 'string' ? stored : JSON.stringify(stored)
      const plain = text.includes(encodedMark) ? undefined : parsed(text, 'a state', fromStorableJson)
      const document = plain ?? parsed(text, 'a state')
      if (!isJsonObject(document)) throw new StoreError('corrupt', 'a stored state is not a JSON object')
      if (plain !== undefined) return document
      const origin = new Map<string, Origin>()
      const members = Object.entries(document).map(([name, value]): [string, JsonValue] => {
        const key = fromStorableText(name)
        const sealed = encodedState(value)
        if (sealed === undefined) return [key, fromStorableJson(JSON.stringify(value))]
        const context = stateContext(place, key)
        const opened = parsed(codecs.decode(sealed, context), `the ${context.what} at ${JSON.stringify(key)}`)
        if (sealed.id === writer?.id) origin.set(key, { value: opened, text: JSON.stringify(value) })
        return [key, opened]
      })
      const opened = Object.fromEntries(members)
      if (origin.size > 0) origins.set(opened, origin)
      return opened
    },
    delta({ set, unset }, place) {
      const stored: (readonly [string, string])[] = []
      for (const key of Object.keys(set)) stored.push([toStorableText(key), stateValue(set[key] ?? null, place, key)])
      return { set: stored, unset: unset.length === 0 ? unset : unset.map(toStorableText) }
    },
  }
}

interface Origin {
  readonly value: JsonValue
  readonly text: string
}

const isStoredPayload = (value: unknown): value is JsonObject & { id: string; timestamp: number } =>
  isJsonObject(value) && typeof value['id'] === 'string' && typeof value['timestamp'] === 'number'

type MemoryPayload = Pick<Memory, 'content' | 'text' | 'metadata'>

const isMemoryPayload = (value: unknown): value is MemoryPayload =>
  isJsonObject(value) && (value['content'] !== undefined || typeof value['text'] === 'string')

/** Always the same members in the same order. */
const memoryContext = ({ appName, userId }: CheckedScope, memoryId: string): CodecContext =>
  userId === '' ? { what: 'memory', appName, memoryId } : { what: 'memory', appName, userId, memoryId }

type MetricKey = Pick<MetricEntry, 'appName' | 'traceId' | 'spanId'>

/** Always the same members in the same order. */
const metricContext = ({ appName, traceId, spanId }: MetricKey): CodecContext => ({
  what: 'metric content',
  appName,
  traceId,
  spanId,
})

function encodedEvent(stored: unknown): Encoded | undefined {
  if (!isJsonObject(stored) || stored['id'] !== undefined) return undefined
  const { codec, data } = stored
  return typeof codec === 'string' && typeof data === 'string' ? { id: codec, base64: data } : undefined
}

function encodedState(value: JsonValue): Encoded | undefined {
  const [, id, base64] = (typeof value === 'string' && encodedValue.exec(value)) || []
  return id === undefined || base64 === undefined ? undefined : { id, base64 }
}

/** Always the same members in the same order. */
function stateContext(place: StatePlace, key: string): CodecContext {
  const { appName, userId } = place
  if ('sessionId' in place)
    return { what: 'session state', appName, userId: place.userId, sessionId: place.sessionId, key }
  return userId === undefined ? { what: 'app state', appName, key } : { what: 'user state', appName, userId, key }
}

function parsed(text: string, what: string, parse: (text: string) => JsonValue = JSON.parse): JsonValue {
  try {
    return parse(text)
  } catch (error) {
    throw new StoreError('corrupt', `${what} is not stored as JSON`, { cause: named(error) })
  }
}

/** The parser's own message quotes the text. */
const named = (error: unknown) => new SyntaxError(error instanceof SyntaxError ? 'the text is not JSON' : 'unreadable')
