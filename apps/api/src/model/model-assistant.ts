import { isStoreError, type StoredEvent } from '@daybook/core'
import { Runner, StreamingMode, type Event } from '@google/adk'
import type { Assistant, TurnContext, TurnSignal } from '../assistant/assistant.ts'
import { derivedId, foreignEvent, invocationOf, saidIn, stopIf } from '../assistant/turn-events.ts'
import { createAgent } from './agent.ts'
import { createLine } from './line.ts'
import { ModelError } from './model-error.ts'
import { isAnswered, RecordedSteps } from './recorded-steps.ts'
import { TurnModel, type TurnModelOptions } from './turn-model.ts'
import { TurnSessions } from './turn-sessions.ts'

export interface ModelAssistantOptions extends TurnModelOptions {
  readonly name: string
}

/** How often a model may be called in one turn: one that calls tools for ever has to end somewhere. */
const maxLlmCalls = 25

/** The assistant behind which a language model is: an agent of ADK, whose sessions are those of the store. */
export function createModelAssistant({ name, ...options }: ModelAssistantOptions): Assistant {
  const line = createLine()
  return {
    name,
    async *runTurn(turn) {
      // A model that is shown half of another answer continues that one.
      const { appName, userId, sessionId } = turn.key
      const leave = await line(JSON.stringify([appName, userId, sessionId]))
      try {
        stopIf(turn.signal)
        yield* runTurn(turn, options)
      } finally {
        leave()
      }
    },
  }
}

/** Runs the agent until the turn has its answer: again, when another process stored an event of this turn first. */
async function* runTurn(turn: TurnContext, options: TurnModelOptions): AsyncGenerator<TurnSignal> {
  const { store, key, message, signal } = turn
  const invocationId = invocationOf(message)
  await store.events.append(key, saidIn(message))
  const told = new Set<string>()
  let taken: string | undefined
  for (let runs = 0; ; runs++) {
    const { items } = await store.events.list(key, { invocationId, limit: 1000 })
    const fresh = items.filter(({ event }) => !told.has(event.id))
    if (taken !== undefined && fresh.length === 0) throw foreignEvent(taken)
    for (const stored of fresh) {
      told.add(stored.event.id)
      yield { kind: 'event', stored }
    }
    if (isAnswered(items)) return
    if (runs > 0 && taken === undefined) throw new ModelError('malformed', 'the agent ended without an answer')
    taken = yield* goOn(turn, items, told, options)
    stopIf(signal)
  }
}

/** Runs the agent from the beginning of the turn, over what is stored of it. Answers the id that another event took first, if one did. */
async function* goOn(
  { store, key, message, signal, isWatched }: TurnContext,
  events: readonly StoredEvent[],
  told: Set<string>,
  options: TurnModelOptions,
): AsyncGenerator<TurnSignal, string | undefined> {
  const model = new TurnModel(options)
  let next = message.id
  const sessionService = new TurnSessions(store, {
    invocationId: invocationOf(message),
    events,
    idAt: (position) => (next = derivedId(message.id, String(position))),
    failure: (event) => failureIn(event, model),
  })
  const runner = new Runner({
    appName: key.appName,
    agent: createAgent(model, { store, key, message }),
    sessionService,
    plugins: [new RecordedSteps(events)],
  })
  const streamingMode = isWatched() ? StreamingMode.SSE : StreamingMode.NONE
  try {
    const run = runner.runAsync({
      userId: key.userId,
      sessionId: key.sessionId,
      newMessage: { role: 'user', parts: [{ text: message.text }] },
      abortSignal: signal,
      runConfig: { streamingMode, maxLlmCalls },
    })
    for await (const event of run) {
      if (event.partial === true) yield* words(event)
      const stored = event.partial === true || told.has(event.id) ? undefined : await store.events.get(key, event.id)
      if (stored === undefined) continue
      told.add(event.id)
      yield { kind: 'event', stored }
    }
  } catch (error) {
    // ADK's own words for an error of the store have it as their cause.
    const thrown = error instanceof Error && isStoreError(error.cause) ? error.cause : error
    // Another conflict is that somebody else has leased the session.
    if (!(isStoreError(thrown) && thrown.code === 'conflict' && thrown.facts.field === 'event.id')) throw thrown
    return next
  }
  return undefined
}

function* words({ content }: Event): Generator<TurnSignal> {
  for (const { text, thought } of content?.parts ?? [])
    if (text !== undefined && text !== '' && thought !== true) yield { kind: 'word', text }
}

/** Why a model says nothing, by Gemini's names, when it will not say it another time either. */
const refusals = new Set(['SAFETY', 'PROHIBITED_CONTENT', 'BLOCKLIST', 'RECITATION', 'SPII', 'IMAGE_SAFETY'])

/** ADK makes an event of an error. As one it would be the end of the turn; thrown, it leaves the turn to be asked for again. */
function failureIn({ errorCode, errorMessage, content }: Event, model: TurnModel): ModelError | undefined {
  if (errorCode === undefined || (content?.parts ?? []).length > 0) return undefined
  if (model.error !== undefined) return model.error
  const message = `${errorCode}${errorMessage === undefined ? '' : `: ${errorMessage}`}`
  return new ModelError(refusals.has(errorCode) ? 'blocked' : 'malformed', message)
}
