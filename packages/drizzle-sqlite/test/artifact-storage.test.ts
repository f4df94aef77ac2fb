import { createDirectoryStorage } from '@daybook/core'
import { openSqliteStore, type SqliteStoreOptions } from '@daybook/drizzle-sqlite'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { storagePromises, type StoragePlace } from '../../drizzle/test/storage-promises.ts'
import { askClient } from './drivers.ts'
import { key, newPath } from './places.ts'

async function newPlace(how: { worker?: true }): Promise<StoragePlace> {
  const path = newPath()
  const open = async (options: SqliteStoreOptions = {}) => {
    const given = { url: `file:${path}`, ...how, ...options }
    const store = await openSqliteStore(given as { url: `file:${string}` }) // one of the ways to open it, known when it runs
    onTestFinished(() => store.close())
    return store
  }
  await (await open()).migrate()
  return {
    open,
    notes: async () =>
      (await askClient(`file:${path}`, 'select n from daybook_artifact_chunks')).map((row) => Number(row['n'])),
  }
}

describe.each([{}, { worker: true as const }])('artifacts in a storage over a file of SQLite, with %o', (how) => {
  storagePromises(() => newPlace(how), { hasCodec: !('worker' in how) })
})

test('inside a transaction of a synchronous driver bytes go into the database', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-storage-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const artifacts = { storage: createDirectoryStorage(folder) }
  await using store = await openSqliteStore({ url: `file:${newPath()}`, artifacts })
  if (store.kind !== 'sync') throw new Error('a local file is synchronous')
  await store.migrate()
  await store.sessions.create(key)
  const bytes = randomBytes(700_001)
  await store.transaction(function* (_tx, inside) {
    yield* inside.artifacts.save({ ...key, name: 'a' }, bytes)
  })
  expect(await readdir(folder)).toEqual([])
  expect(Buffer.from((await store.artifacts.load({ ...key, name: 'a' }))?.bytes ?? []).equals(bytes)).toBe(true)
})

test.for([{ artifacts: null }, { artifacts: { storage: {} } }, { artifacts: { storage: { put() {}, get() {} } } }])(
  '%o is refused before anything is opened',
  async (options) => {
    const url = `file:${newPath()}/no/such/folder` as const
    await expect(openSqliteStore({ url, ...options } as { url: typeof url })).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  },
)
