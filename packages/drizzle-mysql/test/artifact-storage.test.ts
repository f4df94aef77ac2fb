import { beforeEach, describe } from 'vitest'
import { storagePromises, type StoragePlace } from '../../drizzle/test/storage-promises.ts'
import { needsServer, newPlace, openedStore } from './places.ts'

beforeEach(needsServer)

async function storagePlace() {
  const { url, rows } = await newPlace()
  await (await openedStore(url)).migrate()
  return {
    open: (options) => openedStore(url, options),
    notes: async () => (await rows('select n from daybook_artifact_chunks')).map((row) => Number(row['n'])),
    joined: (store, body) => store.db.transaction((tx) => body(store.using(tx))),
  } satisfies StoragePlace<Awaited<ReturnType<typeof openedStore>>>
}

describe('artifacts in a storage over MySQL or MariaDB', () => {
  storagePromises(storagePlace)
})
