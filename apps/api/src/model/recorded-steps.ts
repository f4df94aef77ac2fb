import type { StoredEvent } from '@daybook/core'
import { BasePlugin, getFunctionCalls, getFunctionResponses, type Event } from '@google/adk'
import { knowTools } from './turn-model.ts'

type BeforeModel = Parameters<BasePlugin['beforeModelCallback']>[0]
type BeforeTool = Parameters<BasePlugin['beforeToolCallback']>[0]

/** Answers for the model and the tools what they have answered already in this turn, so that neither is asked twice. */
export class RecordedSteps extends BasePlugin {
  readonly #answers: Event[]
  readonly #results: ReadonlyMap<string, Record<string, unknown>>

  constructor(events: readonly StoredEvent[]) {
    super('recorded-steps')
    const steps = events.slice(1).map((stored) => adkEventOf(stored))
    this.#answers = steps.filter((event) => getFunctionResponses(event).length === 0)
    this.#results = new Map(
      steps
        .flatMap(getFunctionResponses)
        .flatMap(({ id, response }) => (id === undefined ? [] : [[id, response ?? {}]])),
    )
  }

  override async beforeModelCallback({ llmRequest }: BeforeModel): ReturnType<BasePlugin['beforeModelCallback']> {
    const answer = this.#answers.shift()
    if (answer?.content === undefined) return undefined
    knowTools(llmRequest, answer)
    // ADK gives calls without an id one, and writes it into them.
    return { content: structuredClone(answer.content) }
  }

  override async beforeToolCallback({ toolContext }: BeforeTool): ReturnType<BasePlugin['beforeToolCallback']> {
    return this.#results.get(toolContext.functionCallId ?? '')
  }
}

/** Whether a turn has its answer. */
export const isAnswered = (events: readonly StoredEvent[]): boolean => {
  const stored = events.at(-1)
  if (stored === undefined || events.length === 1) return false
  const last = adkEventOf(stored)
  return last.content !== undefined && getFunctionCalls(last).length === 0 && getFunctionResponses(last).length === 0
}

/** The events of a turn are ADK's, but for their actions, which nobody here looks at. */
const adkEventOf = ({ event }: StoredEvent): Event => event as unknown as Event // TurnSessions stored them as ADK made them
