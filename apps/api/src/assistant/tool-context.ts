import { isStoreError, type SessionKey, type Store } from '@daybook/core'
import { createHash } from 'node:crypto'

/** What a tool works with: the store, whose turn it is, and which call of it this is. */
export interface ToolContext {
  readonly store: Store
  readonly key: SessionKey
  /** Id of the message of the turn. */
  readonly messageId: string
  /** Of this call, and of its repetition after a crash. */
  readonly callId: string
}

/** What a tool answered, as it is stored; `error` is a sentence. */
export type ToolResult = Readonly<Record<string, unknown>>

/**
 * The id of what a call stores: the same for a repeated call, which so stores nothing twice. A call's own id is not enough,
 * since notes are of the user, two of whose sessions may have the same ids, and some servers give the calls of every turn the
 * same ones.
 */
export function idOfCall(
  { key: { sessionId }, messageId, callId }: ToolContext,
  args: Readonly<Record<string, string>>,
): string {
  const entries = Object.entries(args).toSorted(([a], [b]) => (a < b ? -1 : 1))
  const name = JSON.stringify([sessionId, messageId, callId, entries])
  return `call-${createHash('sha256').update(name).digest('hex')}`
}

const unrepeatable = new Set(['unsupported', 'invalid_argument', 'limit_exceeded'])

/** What the store refuses whenever it is asked is an answer; for what may go well another time the turn can be asked for again. */
export function refusalIn(error: unknown): ToolResult {
  if (isStoreError(error) && unrepeatable.has(error.code)) return { error: error.message }
  throw error
}

/** The beginning of a text, without half a character at its end. */
export const beginning = (text: string, length: number): string =>
  text.length <= length ? text : `${text.slice(0, length).replace(/[\uD800-\uDBFF]$/, '')}…`
