/** What every model call cost. No store has this area yet: every method rejects with `unsupported`. */
export interface MetricStore {
  record(...args: readonly unknown[]): Promise<never>
  query(...args: readonly unknown[]): Promise<never>
  aggregate(...args: readonly unknown[]): Promise<never>
  prune(...args: readonly unknown[]): Promise<never>
  budgets(...args: readonly unknown[]): Promise<never>
}
