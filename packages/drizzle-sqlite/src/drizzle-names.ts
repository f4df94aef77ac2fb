import * as core from 'drizzle-orm/sqlite-core'

// Drizzle 1.0 names these otherwise, and is built and called in the same way.
const named = <T>(known: T | undefined, later: string): T => known ?? (Reflect.get(core, later) as T) // with the members that we call

export const SyncDialect = named(core.SQLiteSyncDialect, 'SQLiteDialect')
export const SyncDatabase = named(core.BaseSQLiteDatabase, 'SQLiteAsyncDatabase')

/** What a database is told of relations when there are none: nothing, and an empty record since 1.0. */
export const noRelations = Reflect.has(core, 'SQLiteSyncDialect') ? undefined : ({} as unknown as undefined) // the types are of 0.45
