/** What agents remember across sessions. No store has this area yet: every method rejects with `unsupported`. */
export interface MemoryStore {
  add(...args: readonly unknown[]): Promise<never>
  search(...args: readonly unknown[]): Promise<never>
  delete(...args: readonly unknown[]): Promise<never>
}
