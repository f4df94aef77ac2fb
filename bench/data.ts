// The same bytes for every contender: everything comes from one seed.

import type { JsonObject, JsonValue, NewMetric } from '@daybook/core'

export type { JsonObject, JsonValue }

/** An event as agent frameworks write it. A type and no interface: it is an open record for those who take one. */
export type BenchEvent = {
  readonly id: string
  readonly invocationId: string
  readonly author: string
  readonly timestamp: number
  readonly content: { readonly role: string; readonly parts: { readonly text: string }[] }
  readonly usageMetadata: {
    readonly promptTokenCount: number
    readonly candidatesTokenCount: number
    readonly totalTokenCount: number
  }
  /** Two keys of the session and one of the user, as `user:…`. */
  readonly actions: { readonly stateDelta: JsonObject }
}

export interface Data {
  int(below: number): number
  /** ≈ 1.8 KB. */
  sessionState(): JsonObject
  /** ≈ 1.0 KB. */
  event(): BenchEvent
  uuid(): string
  /** ≈ 170 characters, one of them a word that every thousandth has. */
  memory(): string
  /** Two such words. */
  query(): string
  bytes(length: number): Uint8Array
  /** ≈ 0.8 KB as JSON. */
  metric(): NewMetric
}

const words =
  `a about after again agent all also an and another answer any are as ask at back be because been before book
both but by call came can change city come could data day delivery did different do does done down each end even every
event find first five flower follow for found from garden gave get give go good great had has have he help her here high
him his home house how if in into is it its just keep know large last late left letter life light like line list little
live long look made make man many may me mean men might model more most move much must my name near need never new next
no not note now number of off old on one only open or order other our out over own page part people place plan play
point put question read right river said same saw say school see sentence set she should show side small so some song
soon sound spell stand start state still stop store story street study such take tell than that the their them then
there these they thing think this those thought three through time to tool took tree try turn two under until up us use
very walk want was watch water way we well went were what when where which while white who why will with word work world
would write year you young your`.split(/\s+/)

const operations = ['answer', 'plan', 'search', 'summarise']
const sessionKeys = 20
const topics = 1000
const firstTimestamp = Date.UTC(2026, 0, 1)

export function createData(seed: number): Data {
  const random = randomNumbers(seed)
  const int = (below: number) => Math.floor(random() * below)
  let events = 0
  let metrics = 0

  function text(length: number): string {
    let made = ''
    while (made.length < length) made += `${words[int(words.length)]}${int(10) === 0 ? '.' : ''} `
    return made.slice(0, length)
  }
  const value = (i: number): JsonValue =>
    i % 3 === 0 ? { n: int(1_000_000), note: text(50), ok: int(2) === 0 } : text(80)
  const hex = (digits: number) => Array.from({ length: digits }, () => int(16).toString(16)).join('')
  const uuid = () => `${hex(8)}-${hex(4)}-4${hex(3)}-a${hex(3)}-${hex(12)}`

  return {
    int,
    uuid,
    memory: () => `${text(160)} topic${int(topics)}`,
    query: () => `topic${int(topics)} topic${int(topics)}`,
    bytes(length) {
      const bytes = new Uint8Array(length)
      for (let i = 0; i < length; i++) bytes[i] = int(256)
      return bytes
    },
    metric() {
      const session = int(50)
      const characters = int(4000)
      const isImage = int(10) === 0
      const failed = int(20) === 0
      return {
        appName: 'bench',
        traceId: hex(32),
        spanId: hex(16),
        ...(int(10) < 7 && { parentSpanId: hex(16) }),
        userId: `u${session}`,
        sessionId: `s${session}`,
        eventId: uuid(),
        operationName: operations[int(operations.length)] ?? '',
        operationType: 'chat',
        status: failed ? 'error' : 'ok',
        ...(failed && { errorType: 'RateLimitError', error: text(80) }),
        startedAt: firstTimestamp + metrics++,
        durationMs: int(5_000_000) / 1000,
        textCharCount: characters,
        textWordCount: Math.ceil(characters / 5),
        textByteSize: characters,
        textLineCount: 1 + int(40),
        textCustomMetrics: { readability: int(100), note: text(60) },
        ...(isImage && {
          imageCount: 1,
          imageTotalPixels: 1024 * 768,
          imageFileSizeBytes: int(500_000),
          imageWidth: 1024,
          imageHeight: 768,
          imageFormat: 'png',
          imageCustomMetrics: { sharpness: int(100) },
        }),
        customAttributes: { tenant: `tenant-${int(100)}`, note: text(120) },
      }
    },
    sessionState: () => Object.fromEntries(Array.from({ length: sessionKeys }, (_, i) => [`key_${i}`, value(i)])),
    event() {
      const k = int(sessionKeys - 1)
      const [promptTokenCount, candidatesTokenCount] = [int(20_000), int(2_000)]
      return {
        id: uuid(),
        invocationId: `inv-${int(1_000_000_000)}`,
        author: int(2) === 0 ? 'user' : 'agent',
        timestamp: firstTimestamp + events++,
        content: { role: 'model', parts: [{ text: text(560) }] },
        usageMetadata: {
          promptTokenCount,
          candidatesTokenCount,
          totalTokenCount: promptTokenCount + candidatesTokenCount,
        },
        actions: {
          stateDelta: { [`key_${k}`]: value(k), [`key_${k + 1}`]: value(k + 1), [`user:pref_${int(10)}`]: text(60) },
        },
      }
    },
  }
}

/** mulberry32: small, and the same on every machine. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
