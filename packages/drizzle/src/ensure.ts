import type { Tx } from './dialect.ts'

/** The verbs of a database on which an INSERT that leaves an existing row alone also takes that row's lock, or needs none. */
export const ensuringByInsert = (verbs: Omit<Tx, 'ensure'>): Tx => ({
  ...verbs,
  *ensure(insert, params) {
    yield* verbs.insertNew(insert, params)
  },
})
