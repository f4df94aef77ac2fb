import { openPgStore, type PgStoreOptions } from '@daybook/drizzle-pg'
import { beforeEach, describe, onTestFinished } from 'vitest'
import { storagePromises, type StoragePlace } from '../../drizzle/test/storage-promises.ts'
import { newSchema } from './places.ts'
import { connect, needsServer, serverUrl } from './server.ts'

beforeEach(needsServer)

async function newPlace() {
  const schema = newSchema()
  const sql = connect()
  onTestFinished(() => sql.end({ timeout: 5 }))
  const open = async (options: PgStoreOptions = {}) => {
    const store = await openPgStore({ url: serverUrl, schema, max: 4, ...options })
    onTestFinished(() => store.close())
    return store
  }
  await (await open()).migrate()
  return {
    open,
    notes: async () => (await sql`select n from ${sql(schema)}.daybook_artifact_chunks`).map((row) => Number(row['n'])),
    joined: (store, body) => store.db.transaction((tx) => body(store.using(tx))),
  } satisfies StoragePlace<Awaited<ReturnType<typeof openPgStore>>>
}

describe('artifacts in a storage over PostgreSQL', () => {
  storagePromises(newPlace)
})
