import { isJsonObject, toJsonObject, uuidv7, type AgentEvent, type Limits } from '@daybook/core'
import { State, type Event } from '@google/adk'

/** An event as it is stored. */
export type StoredForm = AgentEvent & { readonly id: string }

const isStored = (key: string) => !key.startsWith(State.TEMP_PREFIX)

/**
 * Copies an event as it is at this moment, so that what its caller does to it from now on does not matter, and refuses what
 * JSON cannot hold by its path. `temp:` keys are left out before anybody looks at their values: they may be anything. A key
 * set to `undefined` is removed, as it is from ADK's own database.
 */
export function storedForm(event: Event, { eventDepth, eventBytes }: Limits): StoredForm {
  const copy = toJsonObject(withoutTemp(withoutCircle(event)), 'event', {
    depth: eventDepth,
    name: 'eventDepth',
    bytes: eventBytes,
  })
  return { ...copy, id: idOf(event), timestamp: event.timestamp ?? Date.now() }
}

/** Initial state without its `temp:` keys. */
export const storedState = (state: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(state).filter(([key]) => isStored(key)))

function withoutTemp(event: Event): object {
  const actions: (Event['actions'] & { readonly stateUnset?: readonly string[] }) | undefined = event.actions
  if (typeof actions?.stateDelta !== 'object' || actions.stateDelta === null) return event
  const entries = Object.entries(actions.stateDelta).filter(([key]) => isStored(key))
  const removed = entries.filter(([, value]) => value === undefined).map(([key]) => key)
  const stateDelta = Object.fromEntries(entries)
  return {
    ...event,
    actions: {
      ...actions,
      stateDelta,
      ...(removed.length > 0 && { stateUnset: [...(actions.stateUnset ?? []), ...removed] }),
    },
  }
}

/**
 * ADK's remote agent (A2A) makes the metadata that came with a reply those of its event, and then puts the reply into them: a
 * circle, wherever there are any, which a copy of them that a plugin or ADK itself makes leads into. They are kept once, around
 * the reply.
 */
function withoutCircle(event: Event): Event {
  const { customMetadata } = event
  const reply = customMetadata?.['a2a:response']
  if (!isJsonObject(reply) || !isJsonObject(reply['metadata'])) return event
  const { adk_custom_metadata: inner, ...metadata } = reply['metadata']
  if (!isJsonObject(inner) || cameWith(inner['a2a:response']) !== inner) return event
  return { ...event, customMetadata: { ...customMetadata, 'a2a:response': { ...reply, metadata } } }
}

const cameWith = (reply: unknown): unknown =>
  isJsonObject(reply) && isJsonObject(reply['metadata']) ? reply['metadata']['adk_custom_metadata'] : undefined

/** The ids given to events that came without one, so that a repeat of a failed append is one. */
const givenIds = new WeakMap<Event, string>()

function idOf(event: Event): string {
  if (event.id !== '' && event.id !== undefined) return event.id
  const id = givenIds.get(event) ?? uuidv7()
  givenIds.set(event, id)
  return id
}
