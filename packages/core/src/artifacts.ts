/** Versioned files of sessions and users. No store has this area yet: every method rejects with `unsupported`. */
export interface ArtifactStore {
  save(...args: readonly unknown[]): Promise<never>
  load(...args: readonly unknown[]): Promise<never>
  list(...args: readonly unknown[]): Promise<never>
  versions(...args: readonly unknown[]): Promise<never>
  delete(...args: readonly unknown[]): Promise<never>
}
