import {
  jsonEquals,
  type AgentEvent,
  type AppendResult,
  type JsonObject,
  type JsonValue,
  type LoadedSession,
} from '@daybook/core'
import { createEventActions, type Event, type Session } from '@google/adk'
import type { StoredForm } from './stored-form.ts'

/** An event of ADK's as a store knows it. */
export type AdkEvent = Event & AgentEvent

/** An event that its caller holds, and what was stored of it. */
export interface Appended {
  readonly event: Event
  readonly stored: StoredForm
}

/**
 * What is known of a `Session` object that ADK holds, beside the object: how much of the stored session it has seen. ADK's
 * Runner, agents and tools share that object, read it while it changes, and write to its state before they append.
 */
export class LiveSession {
  /** The last event that it has seen; `undefined` for an object that did not come from the service. */
  seq: number | undefined
  /** The revision that it was last equal to. */
  revision: number | undefined
  /** The merged state that was stored when it was last looked at. */
  #stored: JsonObject
  /** The values in the object that are such stored ones. Another value there was written since, and is not appended yet. */
  readonly #placed: Map<string, unknown>

  private constructor(placed: Session['state']) {
    this.#placed = new Map(Object.entries(placed))
    this.#stored = {}
  }

  static loaded(session: Session, { lastSeq, revision, state }: Omit<LoadedSession, 'events'>): LiveSession {
    const live = new LiveSession(session.state)
    live.seq = lastSeq
    live.revision = revision
    live.#stored = copyOf(state as JsonObject) // a store answers JSON
    return live
  }

  static unknown(session: Session): LiveSession {
    return new LiveSession(session.state)
  }

  /**
   * Moves the object to where the store is, in place: the events of others and ours in the order of `seq`, then the state.
   * `move` is what ADK does to it for one event of ours.
   */
  async follow(
    session: Session,
    appended: readonly Appended[],
    answer: AppendResult<AdkEvent>,
    move: (event: Event) => Promise<unknown>,
  ): Promise<void> {
    const fresh = answer.events.filter(({ duplicate }) => !duplicate).map(({ seq }) => seq)
    const others = this.#unseen(session, answer.newEvents ?? [])
    const delta = new Map<string, JsonValue | undefined>()

    let added = 0
    const addUntil = (seq: number) => {
      const next = others.slice(added).filter((one) => one.seq < seq)
      addEvents(session, next)
      added += next.length
    }
    for (const [i, { event, stored }] of appended.entries()) {
      // Also one that was stored before, by an append whose answer was lost, has its place among those of others.
      const { seq, duplicate } = answer.events[i] ?? { seq: Infinity, duplicate: false }
      if (!duplicate || session.events.every(({ id }) => id !== stored.id)) addUntil(seq)
      event.id = stored.id
      event.timestamp ??= stored.timestamp ?? Date.now()
      await move(event)
      for (const [key, value] of Object.entries(event.actions?.stateDelta ?? {})) {
        delta.set(key, member((stored.actions?.stateDelta ?? {}) as JsonObject, key)) // copied as JSON
        if (Object.is(member(session.state, key), value)) this.#placed.set(key, value)
      }
      session.lastUpdateTime = event.timestamp
    }
    addUntil(Infinity)
    if (answer.state !== undefined) this.#place(session.state, answer.state as JsonObject, delta) // a store answers JSON
    const seen = [...fresh, ...others.map(({ seq }) => seq)]
    this.seq = seen.length > 0 ? Math.max(...seen) : (this.seq ?? 0)
    this.revision = answer.revision
  }

  /** What others appended after what the object has. One of unknown origin has seen what comes before the newest event in it. */
  #unseen({ events }: Session, newEvents: NonNullable<AppendResult<AdkEvent>['newEvents']>): typeof newEvents {
    if (this.seq !== undefined) return newEvents
    const ids = new Set(events.map(({ id }) => id))
    return newEvents.slice(newEvents.findLastIndex(({ event }) => ids.has(event.id)) + 1)
  }

  /** Puts what others changed into the live state, but not over what was written there and is not appended yet. */
  #place(live: Session['state'], state: JsonObject, delta: ReadonlyMap<string, JsonValue | undefined>): void {
    for (const key of new Set([...Object.keys(this.#stored), ...Object.keys(state), ...delta.keys()])) {
      const now = member(state, key)
      const before = delta.has(key) ? delta.get(key) : member(this.#stored, key)
      if (isSame(before, now) || !Object.is(member(live, key), this.#placed.get(key))) continue
      if (now === undefined) {
        Reflect.deleteProperty(live, key)
        this.#placed.delete(key)
      } else {
        const value = copyOf(now)
        Object.defineProperty(live, key, { value, writable: true, enumerable: true, configurable: true })
        this.#placed.set(key, value)
      }
    }
    this.#stored = state
  }
}

function addEvents(session: Session, others: NonNullable<AppendResult<AdkEvent>['newEvents']>): void {
  if (others.length === 0) return
  const ids = new Set(session.events.map(({ id }) => id))
  for (const { event } of others) if (!ids.has(event.id)) session.events.push(readEvent(event))
}

/** A stored event for ADK, whose code takes for granted that there are actions. */
export const readEvent = (event: AdkEvent): Event =>
  event.actions === undefined ? { ...(event as Event), actions: createEventActions() } : event // another program may have left them out

const member = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

const isSame = (a: JsonValue | undefined, b: JsonValue | undefined) =>
  a === undefined || b === undefined ? a === b : jsonEquals(a, b)

const copyOf = <T extends JsonValue>(value: T): T => JSON.parse(JSON.stringify(value)) as T // of JSON
