import { isStoredAsItIs, type JsonValue } from '@daybook/core'

/**
 * A document that was read as soon as its text had come: a driver that hands over texts one by one can have them read while the
 * database is still sending what follows, and the reader need not wait for the time it takes.
 */
export class ReadDocument {
  readonly value: JsonValue
  readonly #text: string

  constructor(text: string, value: JsonValue) {
    this.#text = text
    this.value = value
  }

  /** The text, for whoever asked for no document. */
  toString(): string {
    return this.#text
  }
}

/** What a driver makes of a text that is likely to be a document. Any other text, and one that needs more than the parser, stays as it is. */
export function readEarly(text: string): ReadDocument | string {
  if (!text.startsWith('{') || !isStoredAsItIs(text)) return text
  try {
    return new ReadDocument(text, JSON.parse(text) as JsonValue) // JSON.parse answers nothing else
  } catch {
    return text // whoever wants a document says what is wrong with this one
  }
}

/** A document out of a row: its text, what the driver parsed out of it, or {@link ReadDocument}'s value. */
export const documentIn = (stored: unknown): unknown => (stored instanceof ReadDocument ? stored.value : stored)
