import {
  createSqliteStore,
  openSqliteStore,
  type AsyncSqliteStore,
  type LocalDatabase,
  type OpenedSqliteStore,
  type ServerDatabase,
  type SyncSqliteStore,
  type WorkerSqliteStore,
} from '@daybook/drizzle-sqlite'
import { sql } from 'drizzle-orm'
import { expectTypeOf } from 'vitest'
import { key } from './places.ts'

// Checked by the compiler. The functions that are handed to `expectTypeOf` are never called.

type Either = SyncSqliteStore<LocalDatabase> | AsyncSqliteStore<ServerDatabase>
const open = openSqliteStore
expectTypeOf((url: string) => open({ url })).returns.resolves.toEqualTypeOf<Either>()
expectTypeOf(() => open({ url: 'file:a.db' })).returns.resolves.toEqualTypeOf<SyncSqliteStore<LocalDatabase>>()
expectTypeOf(() => open({ url: ':memory:' })).returns.resolves.toEqualTypeOf<SyncSqliteStore<LocalDatabase>>()
expectTypeOf(() => open({ url: 'libsql://a.b' })).returns.resolves.toEqualTypeOf<AsyncSqliteStore<ServerDatabase>>()

expectTypeOf(() => open({ url: 'file:a.db', worker: true })).returns.resolves.toEqualTypeOf<WorkerSqliteStore>()
expectTypeOf(() => open({ url: 'file:a.db', worker: false })).returns.resolves.toEqualTypeOf<
  SyncSqliteStore<LocalDatabase>
>()
expectTypeOf<WorkerSqliteStore>().not.toHaveProperty('transaction')
expectTypeOf<WorkerSqliteStore>().not.toHaveProperty('db')
// @ts-expect-error a server holds no thread
expectTypeOf(() => open({ url: 'libsql://a.b', worker: true })).toBeFunction()

const create = createSqliteStore
expectTypeOf((db: LocalDatabase) => create(db)).returns.resolves.toEqualTypeOf<SyncSqliteStore<LocalDatabase>>()
expectTypeOf((db: ServerDatabase) => create(db)).returns.resolves.toEqualTypeOf<AsyncSqliteStore<ServerDatabase>>()

// @ts-expect-error a synchronous driver cannot wait
expectTypeOf((store: SyncSqliteStore) => store.transaction(async () => 1)).toBeFunction()
// @ts-expect-error nor does it go on in a transaction of somebody else
expectTypeOf((store: SyncSqliteStore) => store.using).toBeFunction()
// @ts-expect-error a script is for a synchronous driver
expectTypeOf((store: AsyncSqliteStore) => store.transaction(function* () {})).toBeFunction()

/** Appends to the session inside a transaction, whatever kind of store it is. */
export async function appendInside(store: OpenedSqliteStore): Promise<number> {
  if (store.kind === 'sync') {
    expectTypeOf(store.db).toEqualTypeOf<LocalDatabase>()
    return store.transaction(function* (tx, inside) {
      expectTypeOf(tx.all<{ n: number }>(sql`select 1 as n`)).toEqualTypeOf<{ n: number }[]>()
      return (yield* inside.events.append(key, { id: 'inside' })).revision
    })
  }
  expectTypeOf(store.db).toEqualTypeOf<ServerDatabase>()
  return store.transaction(async (tx, inside) => {
    expectTypeOf(await tx.all<{ n: number }>(sql`select 1 as n`)).toEqualTypeOf<{ n: number }[]>()
    return (await inside.events.append(key, { id: 'inside' })).revision
  })
}
