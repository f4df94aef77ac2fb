/** What every method takes. */
export interface CallOptions {
  /**
   * Abandons the call: `aborted`, and nothing was written. It is looked at before each step and before the commit; once a
   * commit was sent it no longer counts, and the answer is the commit's.
   */
  readonly signal?: AbortSignal
  /** Milliseconds for the whole call, waiting and retries included. Default: the store's `timeout`. */
  readonly timeout?: number
}
