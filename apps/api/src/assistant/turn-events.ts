import { StoreError, type AgentEvent, type StoredEvent } from '@daybook/core'
import { createHash } from 'node:crypto'
import type { UserMessage } from './assistant.ts'

/** An id for a part of a turn: the same for the same message, and short enough whatever the message's id is. */
export function derivedId(messageId: string, part: string): string {
  const readable = `${messageId}:${part}`
  if ([...readable].length <= 191 && Buffer.byteLength(readable) <= 512) return readable
  return `turn-${createHash('sha256').update(messageId).digest('hex')}:${part}`
}

/** What all events of a turn have in common. */
export const invocationOf = ({ id }: UserMessage): string => derivedId(id, 'turn')

/** The event that holds the message. Without a time of its own, so that a repeated one is the same. */
export const saidIn = (message: UserMessage): AgentEvent => ({
  id: message.id,
  author: 'user',
  invocationId: invocationOf(message),
  content: { role: 'user', parts: [{ text: message.text }] },
})

/** What a turn fails with when its server ends. */
export function stopIf({ aborted }: AbortSignal): void {
  if (aborted) throw new StoreError('closed', 'the server is stopping; the same message goes on with this turn')
}

/** What a turn fails with when an id of its events is taken. */
export const foreignEvent = (id: string): StoreError =>
  new StoreError('conflict', `event ${id} is in the session already and does not belong to this turn`, {
    field: 'eventId',
  })

/** A turn as the API answers it. */
export function answerOf(
  eventId: string,
  events: readonly StoredEvent[],
): { eventId: string; invocationId: string; text: string; events: StoredEvent[] } {
  const last: AgentEvent = events.at(-1)?.event ?? {}
  const texts = partsOf(last).flatMap(({ text, thought }) =>
    typeof text === 'string' && thought !== true ? [text] : [],
  )
  return { eventId, invocationId: last.invocationId ?? '', text: texts.join(''), events: [...events] }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

export function partsOf({ content }: AgentEvent): Readonly<Record<string, unknown>>[] {
  const parts = isRecord(content) ? content['parts'] : undefined
  return Array.isArray(parts) ? parts.filter((part) => isRecord(part)) : []
}
