import type { Dialect, Loaded, LoadShape, Params, Tx } from './dialect.ts'
import type { Script } from './script.ts'

/** How a session and its events are read inside a transaction. */
export const loadWithin = (dialect: Dialect): NonNullable<Dialect['loadWithin']> => dialect.loadWithin ?? loadInTwo

/** Two statements, which are one view in a transaction that sees no others. */
function* loadInTwo(tx: Tx, shape: LoadShape, params: Params): Script<Loaded | undefined> {
  const [session] = yield* tx.rows(shape.session, params)
  if (session === undefined) return undefined
  return { session, events: shape.events === undefined ? [] : yield* tx.rows(shape.events, params) }
}
