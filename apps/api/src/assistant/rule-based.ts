import { setTimeout as pause } from 'node:timers/promises'
import { isStoreError, StoreError, type AgentEvent, type StoredEvent } from '@daybook/core'
import type { Assistant, TurnContext, TurnSignal } from './assistant.ts'
import { planFor } from './plan.ts'
import type { ToolResult } from './tool-context.ts'
import { callTool } from './tools.ts'
import { derivedId, foreignEvent, invocationOf, isRecord, partsOf, saidIn, stopIf } from './turn-events.ts'

/** Milliseconds to wait before each event, and between two words. */
export interface Pace {
  readonly step?: number
  readonly word?: number
}

interface RuleBasedTurn extends TurnContext {
  readonly pace: Pace
}

/** The assistant that needs no language model: patterns, a few tools, and what it was told. */
export const createRuleBased = (pace: Pace): Assistant => ({
  name: 'rule-based',
  runTurn: (turn) => runTurn({ ...turn, pace }),
})

async function* runTurn(turn: RuleBasedTurn): AsyncGenerator<TurnSignal> {
  const { store, key, message } = turn
  const invocationId = invocationOf(message)
  const idOf = (step: string) => derivedId(message.id, step)
  const said = saidIn(message)
  await store.events.append(key, said)
  const { items } = await store.events.list(key, { invocationId, limit: 100 })
  const stored = new Map(items.map((item) => [item.event.id, item]))
  const keep = (id: string, event: () => AgentEvent | Promise<AgentEvent>) =>
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
    const response = async (): Promise<AgentEvent> => {
      const result = await callTool(call, { store, key, messageId: message.id, callId })
      return {
        content: { role: 'user', parts: [{ functionResponse: { id: callId, name: call.name, response: result } }] },
      }
    }
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
  { store, key, pace, signal }: RuleBasedTurn,
  known: ReadonlyMap<string, StoredEvent>,
  head: AgentEvent & { id: string },
  event: () => AgentEvent | Promise<AgentEvent>,
): Promise<StoredEvent> {
  const before = known.get(head.id)
  if (before !== undefined) return before
  await wait(pace.step, signal)
  const made = await event()
  try {
    await store.events.append(key, { ...head, ...made })
  } catch (error) {
    // Another process runs the same turn and its clock said something else: what is stored counts.
    if (!(isStoreError(error) && error.code === 'conflict')) throw error
  }
  const stored = await store.events.get(key, head.id)
  if (stored === undefined) throw new StoreError('not_found', `session ${key.sessionId} was deleted during the turn`)
  if (stored.event.invocationId === head.invocationId) return stored
  throw foreignEvent(head.id)
}

async function* words(text: string, { pace, signal, isWatched }: RuleBasedTurn): AsyncGenerator<TurnSignal> {
  for (const word of text.match(/\S+\s*/g) ?? []) {
    if (!isWatched()) return
    yield { kind: 'word', text: word }
    await wait(pace.word, signal)
  }
}

async function wait(milliseconds: number | undefined, signal: AbortSignal): Promise<void> {
  if (milliseconds !== undefined && milliseconds > 0) await pause(milliseconds, undefined, { signal }).catch(() => {}) // what to do about an abort is said below
  stopIf(signal)
}

/** What a stored tool result says. */
function resultIn(event: AgentEvent): ToolResult {
  const response = partsOf(event).find((part) => 'functionResponse' in part)?.['functionResponse']
  const result = isRecord(response) ? response['response'] : undefined
  return isRecord(result) ? result : {}
}
