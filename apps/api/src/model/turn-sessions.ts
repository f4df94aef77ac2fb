import { DaybookSessionService } from '@daybook/adk'
import { StoreError, type Store, type StoredEvent } from '@daybook/core'
import type { AppendEventRequest, Event, GetSessionRequest, Session } from '@google/adk'
import type { ModelError } from './model-error.ts'

/** How many events of the past a model is shown. */
const memory = 200

export interface TurnRecord {
  readonly invocationId: string
  /** The turn's events that are stored already, in their order. */
  readonly events: readonly StoredEvent[]
  /** The id of the turn's event at this position, counted from 1. */
  idAt(position: number): string
  /** Why the model gave no answer, if it did not. */
  failure(event: Event): ModelError | undefined
}

/**
 * The sessions of one turn. Its events get ids that follow from the message's, and one that is stored already is taken for
 * the one that was to be appended: so a turn can be run again from its beginning, and stores nothing twice.
 */
export class TurnSessions extends DaybookSessionService {
  readonly #turn: TurnRecord
  #position = 0

  constructor(store: Store, turn: TurnRecord) {
    super(firstComes(store))
    this.#turn = turn
  }

  /** The session as it was for the turn, which appends its own events as it goes. */
  override async getSession({ appName, userId, sessionId }: GetSessionRequest): Promise<Session> {
    const numRecentEvents = memory + this.#turn.events.length
    const session = await super.getSession({ appName, userId, sessionId, config: { numRecentEvents } })
    if (session === undefined) throw new StoreError('not_found', `session ${sessionId} was deleted during the turn`)
    session.events = session.events.filter(({ invocationId }) => invocationId !== this.#turn.invocationId)
    return session
  }

  override async appendEvent({ session, event }: AppendEventRequest): Promise<Event> {
    if (event.partial === true) return event
    const failure = this.#turn.failure(event)
    if (failure !== undefined) throw failure
    this.#position++
    const { invocationId } = this.#turn
    const stored = this.#turn.events[this.#position - 1]?.event
    if (stored === undefined) {
      Object.assign(event, { id: this.#turn.idAt(this.#position), invocationId })
      return super.appendEvent({ session, event })
    }
    // Its changes are in the state that was loaded.
    Object.assign(event, { id: stored.id, invocationId, timestamp: stored.timestamp, content: stored.content })
    session.events.push(event)
    return event
  }
}

/** Another process may run the same turn, and its model says something else. Who stores an event first has said it. */
function firstComes(store: Store): Store {
  const append: Store['events']['append'] = (key, events, { onDuplicate: _replace, ...options } = {}) =>
    store.events.append(key, events, options)
  return { ...store, events: { ...store.events, append } }
}
