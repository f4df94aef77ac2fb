/** Abilities have a method or an option behind them: `no` rejects with `unsupported` before anything is sent. */
export const abilities = [
  'memories',
  'artifacts',
  'metrics',
  'lease',
  'jsonPathFilter',
  'jsonPathIndex',
  'fullTextSearch',
  'vectorSearch',
  'callerTransaction',
] as const

/** Facts only inform; a suite checks that they are true. */
export const facts = [
  'persistent',
  'concurrentWriters',
  'foreignKeys',
  'skipLocked',
  'windowFunctions',
  'transactionalDdl',
  'liveNotify',
  'nativeVectors',
] as const

export type Ability = (typeof abilities)[number]
export type Fact = (typeof facts)[number]
export type YesNo = 'yes' | 'no'

/**
 * What this store can do on this database, probed when it opened. Every key is present on every store.
 *
 * - `memories`, `artifacts`, `metrics`: the areas of that name.
 * - `lease`: `sessions.lease`, and the option `lease` of `events.append`.
 * - `jsonPathFilter`: the option `where` of `sessions.list` and `sessions.count`; `jsonPathIndex`: `indexStatePath`.
 * - `fullTextSearch`, `vectorSearch`: options of `memories.search`.
 * - `callerTransaction`: `using(tx)` joins a transaction that the caller began.
 * - `persistent`: data survive the end of the process.
 * - `concurrentWriters`: two sessions can be written at the same moment (`no`: writers take turns).
 * - `foreignKeys`: the database itself refuses an event without its session.
 * - `skipLocked`, `windowFunctions`, `transactionalDdl`: as SQL names them.
 * - `liveNotify`: `events.tail` is woken by the database; `no`: it polls.
 * - `nativeVectors`: the database itself tells how alike two embeddings are, and sends the best alone; `no`: the store compares them,
 *   as many of the searched scopes as `limits.embeddingsCompared` says.
 */
export type Capabilities = { readonly [A in Ability | Fact]: YesNo } & {
  /** The isolation that a transaction of the store runs at. */
  readonly isolation: 'serializable' | 'snapshot' | 'repeatable read' | 'read committed'
}
