import { createHash } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { isStoreError, StoreError, type AgentEvent, type SessionKey, type Store, type StoredEvent } from '@daybook/core'
import { planFor } from './plan.ts'
import { callTool, type ToolResult } from './tools.ts'

export interface UserMessage {
  /** Id of the event that holds the message; the ids of the whole turn follow from it. */
  readonly id: string
  readonly text: string
}

/** What happens in a turn: an event was stored, or a word of the answer is known, which is not stored. */
export type TurnSignal =
  | { readonly kind: 'event'; readonly stored: StoredEvent }
  | { readonly kind: 'word'; readonly text: string }

/** Milliseconds to wait before each event, and between two words. */
export interface Pace {
  readonly step?: number
  readonly word?: number
}

export interface TurnContext {
  readonly store: Store
  readonly key: SessionKey
  readonly message: UserMessage
  readonly pace: Pace
  /** Cuts the turn between two steps; what is stored stays, and the same message goes on from there. */
  readonly signal: AbortSignal
  /** Whether someone wants the words. */
  readonly isWatched: () => boolean
}

/**
 * One turn of the assistant: the message, each tool call with its result, the answer. Every event has an id that follows
 * from the message's, so a turn that was cut, or is asked for again, goes on from what is stored and stores nothing twice.
 */
export async function* runTurn(turn: TurnContext): AsyncGenerator<TurnSignal> {
  const { store, key, message } = turn
  const invocationId = derivedId(message.id, 'turn')
  const idOf = (step: string) => derivedId(message.id, step)
  const said: AgentEvent = {
    id: message.id,
    author: 'user',
    invocationId,
    content: { role: 'user', parts: [{ text: message.text }] },
  }
  await store.events.append(key, said)
  const { items } = await store.events.list(key, { invocationId, limit: 100 })
  const stored = new Map(items.map((item) => [item.event.id, item]))
  const keep = (id: string, event: () => AgentEvent) =>
    keepOnce(turn, stored, { id, author: 'assistant', invocationId }, event)
  yield { kind: 'event', stored: await keep(message.id, () => said) }

  const plan = planFor(message.text)
  const results: ToolResult[] = []
  for (const [i, call] of plan.tools.entries()) {
    const callId = idOf(`call-${i + 1}`)
    yield {
      kind: 'event',
      stored: await keep(callId, () => ({
        content: { role: 'model', parts: [{ functionCall: { id: callId, ...call } }] },
      })),
    }
    const response = (): AgentEvent => ({
      content: {
        role: 'user',
        parts: [{ functionResponse: { id: callId, name: call.name, response: callTool(call) } }],
      },
    })
    const result = await keep(idOf(`result-${i + 1}`), response)
    results.push(resultIn(result.event))
    yield { kind: 'event', stored: result }
  }

  const answerId = idOf('answer')
  const { state = {} } = (await store.sessions.get(key)) ?? {}
  const { text, set, unset } = plan.answer(state, results)
  if (!stored.has(answerId)) yield* words(text, turn)
  const actions = { ...(set !== undefined && { stateDelta: set }), ...(unset !== undefined && { stateUnset: unset }) }
  const answer = (): AgentEvent => ({ content: { role: 'model', parts: [{ text }] }, actions, turnComplete: true })
  yield { kind: 'event', stored: await keep(answerId, answer) }
}

/** The stored event of this id; stores it first where there is none. */
async function keepOnce(
  { store, key, pace, signal }: TurnContext,
  known: ReadonlyMap<string, StoredEvent>,
  head: AgentEvent & { id: string },
  event: () => AgentEvent,
): Promise<StoredEvent> {
  const before = known.get(head.id)
  if (before !== undefined) return before
  await wait(pace.step, signal)
  try {
    await store.events.append(key, { ...head, ...event() })
  } catch (error) {
    // Another process runs the same turn and its clock said something else: what is stored counts.
    if (!(isStoreError(error) && error.code === 'conflict')) throw error
  }
  const stored = await store.events.get(key, head.id)
  if (stored === undefined) throw new StoreError('not_found', `session ${key.sessionId} was deleted during the turn`)
  if (stored.event.invocationId === head.invocationId) return stored
  throw new StoreError('conflict', `event ${head.id} is in the session already and does not belong to this turn`, {
    field: 'eventId',
  })
}

async function* words(text: string, { pace, signal, isWatched }: TurnContext): AsyncGenerator<TurnSignal> {
  for (const word of text.match(/\S+\s*/g) ?? []) {
    if (!isWatched()) return
    yield { kind: 'word', text: word }
    await wait(pace.word, signal)
  }
}

async function wait(milliseconds: number | undefined, signal: AbortSignal): Promise<void> {
  if (milliseconds !== undefined && milliseconds > 0) await pause(milliseconds, undefined, { signal }).catch(() => {}) // what to do about an abort is said below
  if (signal.aborted) throw new StoreError('closed', 'the server is stopping; the same message goes on with this turn')
}

/** An id for a part of a turn: the same for the same message, and short enough whatever the message's id is. */
function derivedId(messageId: string, part: string): string {
  const readable = `${messageId}:${part}`
  if ([...readable].length <= 191 && Buffer.byteLength(readable) <= 512) return readable
  return `turn-${createHash('sha256').update(messageId).digest('hex')}:${part}`
}

/** What a stored tool result says. */
function resultIn(event: AgentEvent): ToolResult {
  const response = partOf(event, 'functionResponse')?.['response']
  return isRecord(response) ? response : {}
}

/** A turn as the API answers it. */
export function answerOf(
  eventId: string,
  events: readonly StoredEvent[],
): { eventId: string; invocationId: string; text: string; events: StoredEvent[] } {
  const last: AgentEvent = events.at(-1)?.event ?? {}
  const [part] = partsOf(last)
  return {
    eventId,
    invocationId: last.invocationId ?? '',
    text: typeof part?.['text'] === 'string' ? part['text'] : '',
    events: [...events],
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

function partsOf({ content }: AgentEvent): Readonly<Record<string, unknown>>[] {
  const parts = isRecord(content) ? content['parts'] : undefined
  return Array.isArray(parts) ? parts.filter((part) => isRecord(part)) : []
}

function partOf(event: AgentEvent, name: string): Readonly<Record<string, unknown>> | undefined {
  const part = partsOf(event).find((candidate) => name in candidate)?.[name]
  return isRecord(part) ? part : undefined
}
