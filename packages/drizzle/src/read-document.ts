import { isStoredAsItIs, type JsonObject } from '@daybook/core'

/**
 * A document that was read as soon as its text had come: a driver that hands over texts one by one can have them read while the
 * database is still sending what follows, and the reader need not wait for the time it takes.
 */
export class ReadDocument {
  readonly value: JsonObject

  constructor(value: JsonObject) {
    this.value = value
  }
}

/**
 * What a driver makes of the text of a document. One that may need more than the parser stays as it is, and so does what is none: who
 * knows what it is tells what is wrong with it.
 */
export function readEarly(text: string): ReadDocument | string {
  if (!text.startsWith('{') || !isStoredAsItIs(text)) return text
  try {
    return new ReadDocument(JSON.parse(text) as JsonObject) // what begins like one and is JSON is an object
  } catch {
    return text
  }
}

/** A document out of a row: its text, what the driver parsed out of it, or {@link ReadDocument}'s value. */
export const documentIn = (stored: unknown): unknown => (stored instanceof ReadDocument ? stored.value : stored)
