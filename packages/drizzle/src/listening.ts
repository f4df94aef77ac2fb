/** What a tail hears of its session from other processes, while somebody keeps it open. */
export interface Listening {
  /** Whether an append that commits from now on will be heard. */
  readonly isLive: boolean
  /** Grows with each append that was heard, and when `isLive` changes: a look that began before may have missed something. */
  readonly heard: number
  /** Resolves once `heard` is another number than this one, or the signal fires. */
  next(heard: number, signal: AbortSignal): Promise<void>
  end(): void
}
