/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Opaque and URL-safe; `undefined` at the end, which is known without another, empty page. */
  readonly nextCursor: string | undefined
}

export interface PageOptions {
  /** How many items at most; 0 answers an empty page. Default and maximum are in `limits`. */
  readonly limit?: number
  /** The `nextCursor` of the page before, of the same list. */
  readonly cursor?: string
  /** Skips so many rows, for hosts that page by number. Rows that come or go meanwhile shift it; prefer `cursor`. */
  readonly offset?: number
}
