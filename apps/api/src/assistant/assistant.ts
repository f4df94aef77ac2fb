import type { SessionKey, Store, StoredEvent } from '@daybook/core'

export interface UserMessage {
  /** Id of the event that holds the message; the ids of the whole turn follow from it. */
  readonly id: string
  readonly text: string
}

/** What happens in a turn: an event was stored, or a word of the answer is known, which is not stored. */
export type TurnSignal =
  | { readonly kind: 'event'; readonly stored: StoredEvent }
  | { readonly kind: 'word'; readonly text: string }

export interface TurnContext {
  readonly store: Store
  readonly key: SessionKey
  readonly message: UserMessage
  /** Cuts the turn between two steps; what is stored stays, and the same message goes on from there. */
  readonly signal: AbortSignal
  /** Whether someone wants the words. */
  readonly isWatched: () => boolean
}

/** Who answers. */
export interface Assistant {
  /** For people: which one it is. */
  readonly name: string
  /**
   * One turn: the message, each tool call with its result, the answer. Every event has an id that follows from the
   * message's, so a turn that was cut, or is asked for again, goes on from what is stored and stores nothing twice.
   */
  runTurn(turn: TurnContext): AsyncGenerator<TurnSignal>
}
