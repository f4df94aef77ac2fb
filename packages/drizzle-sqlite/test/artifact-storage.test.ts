import { createDirectoryStorage, type ArtifactStorage, type StoredObject } from '@daybook/core'
import { openSqliteStore, type SqliteStoreOptions } from '@daybook/drizzle-sqlite'
import { randomBytes } from 'node:crypto'
import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { aesGcm } from '../../drizzle/test/codecs.ts'
import { askClient } from './drivers.ts'
import { key, newPath } from './places.ts'

const file = { ...key, name: '../secret name' }
const bytes = randomBytes(700_001)

/** A store whose artifacts are in a folder, and ways to look at both. */
async function place(options: SqliteStoreOptions = {}, change: (storage: ArtifactStorage) => ArtifactStorage = asItIs) {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-storage-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const path = newPath()
  const storage = createDirectoryStorage(folder)
  const open = async (more: object = {}) => {
    const given = { url: `file:${path}`, artifacts: { storage: change(storage) }, ...options, ...more }
    const store = await openSqliteStore(given as { url: `file:${string}` })
    onTestFinished(() => store.close())
    return store
  }
  const store = await open()
  await store.migrate()
  await store.sessions.create(key)
  return {
    store,
    open,
    folder,
    files: async () => (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile()),
    notes: async () =>
      (await askClient(`file:${path}`, 'select n from daybook_artifact_chunks')).map((row) => Number(row['n'])),
  }
}

const asItIs = (storage: ArtifactStorage) => storage
const equal = (got: Uint8Array | undefined) => Buffer.from(got ?? []).equals(bytes)

async function* broken() {
  yield bytes.subarray(0, 300_000)
  throw new Error('the disk of the caller')
}

async function* pieces() {
  for (let from = 0; from < bytes.byteLength; from += 100_000) yield bytes.subarray(from, from + 100_000)
}

describe.each([{ worker: false }, { worker: true }])('artifacts in a folder, with %o', (how) => {
  const options = how.worker ? ({ worker: true } as SqliteStoreOptions) : {}

  test('come back as they were saved, in files named by nobody, and nothing of them is in the database', async () => {
    const { store, files, notes } = await place(options)
    const saved = await store.artifacts.save(file, bytes, { mimeType: 'a/b', metadata: { a: 1 }, saveId: 'x' })
    expect(await store.artifacts.save(file, pieces())).toMatchObject({ version: 1, sha256: saved.sha256 })
    await store.artifacts.save({ ...file, name: 'empty' }, new Uint8Array())
    expect(await store.artifacts.load(file, { version: 0 })).toMatchObject({ mimeType: 'a/b', metadata: { a: 1 } })
    expect(equal((await store.artifacts.load(file))?.bytes)).toBe(true)
    expect((await store.artifacts.load({ ...file, name: 'empty' }))?.size).toBe(0)
    const read: Uint8Array[] = []
    for await (const piece of (await store.artifacts.load(file, { stream: true }))?.stream ?? []) read.push(piece)
    expect(equal(Buffer.concat(read))).toBe(true)
    expect(await files()).toHaveLength(3)
    for (const { name } of await files()) expect(name).toMatch(/^[0-9a-f-]{36}$/)
    expect(await notes()).toEqual([])
    expect(await store.artifacts.save(file, bytes, { mimeType: 'a/b', metadata: { a: 1 }, saveId: 'x' })).toEqual({
      ...saved,
      duplicate: true,
    })
    expect([(await files()).length, await notes()], 'of the repeated one nothing is left').toEqual([3, []])
  })

  test('go with their version, their name, their session and their user', async () => {
    const { store, files, notes } = await place(options)
    for (const name of ['a', 'a', 'b', 'user:c']) await store.artifacts.save({ ...key, name }, bytes)
    await store.artifacts.delete({ ...key, name: 'a' }, { version: 0 })
    expect(await files()).toHaveLength(3)
    await store.artifacts.delete({ ...key, name: 'a' })
    expect(await files()).toHaveLength(2)
    await store.sessions.delete(key)
    expect(await files()).toHaveLength(1)
    expect(await store.erase(key)).toMatchObject({ artifacts: 1 })
    expect([await files(), await notes()]).toEqual([[], []])
    await store.sessions.create(key)
    await store.artifacts.save({ ...key, name: 'a' }, bytes)
    await store.artifacts.prune({ appName: 'shop', before: Date.now() + 1000 })
    expect([await files(), await notes()]).toEqual([[], []])
  })

  test('that do not come to their end leave nothing, and one more byte than allowed is too many', async () => {
    const { store, files, notes } = await place({ ...options, limits: { artifactBytes: 700_000 } })
    await expect(store.artifacts.save(file, broken())).rejects.toMatchObject({ code: 'aborted' })
    await expect(store.artifacts.save(file, pieces())).rejects.toMatchObject({ code: 'limit_exceeded' })
    const aborting = new AbortController()
    async function* endless() {
      for (let i = 0; ; i += 1) {
        if (i === 2) aborting.abort()
        yield new Uint8Array(1000)
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    }
    const aborted = store.artifacts.save(file, endless(), { signal: aborting.signal })
    await expect(aborted).rejects.toMatchObject({ code: 'aborted' })
    await expect.poll(async () => [await files(), await notes()], { timeout: 5_000 }).toEqual([[], []])
    await expect(store.artifacts.save({ ...file, sessionId: 'none' }, pieces())).rejects.toMatchObject({
      code: 'not_found',
    })
    expect((await store.artifacts.versions(file)).items).toEqual([])
  })
})

test('what a killed process left is swept once it is old, and what could not be deleted is deleted later', async () => {
  let fails = true
  const flaky = (storage: ArtifactStorage): ArtifactStorage => ({
    put: async (object: StoredObject, given) => {
      await storage.put(object, given)
      if (fails) throw new Error('the process ends here')
    },
    get: (object) => storage.get(object),
    delete: (object) => (fails ? Promise.reject(new Error('the bucket is away')) : storage.delete(object)),
  })
  const { store, files, notes } = await place({}, flaky)
  await expect(store.artifacts.save(file, bytes)).rejects.toMatchObject({ code: 'unavailable' })
  expect([(await files()).length, await notes()], 'buried, but not deleted yet').toEqual([1, [-2]])
  fails = false
  await store.artifacts.save(file, bytes)
  expect(await store.artifacts.sweep({ appName: 'shop' })).toEqual({ uploads: 0, dryRun: false })
  expect([(await files()).length, await notes()]).toEqual([1, []])

  const { folder, ...killed } = await place({}, (storage) => ({ ...storage, put: () => new Promise(() => {}) }))
  const saving = killed.store.artifacts.save(file, bytes, { timeout: 500 })
  await expect(saving).rejects.toMatchObject({ code: 'timeout' })
  await expect.poll(killed.notes).toEqual([-1])
  const later = await killed.open({
    now: () => Date.now() + 25 * 3_600_000,
    artifacts: { storage: createDirectoryStorage(folder) },
  })
  expect(await later.artifacts.sweep({ appName: 'shop' })).toEqual({ uploads: 1, dryRun: false })
  expect(await killed.notes()).toEqual([])
})

const ignore = () => {}

test('one that cannot be deleted holds up no other, and is told by its number alone', async () => {
  const asked: string[] = []
  const warned: unknown[] = []
  let stuck: string | undefined
  const refusing = (storage: ArtifactStorage): ArtifactStorage => ({
    put: (object, given) => storage.put(object, given),
    get: (object) => storage.get(object),
    delete: (object) => {
      asked.push(object.id)
      stuck ??= object.id
      if (object.id === stuck) throw new Error(`cannot delete ${object.id}`)
      return storage.delete(object)
    },
  })
  const logger = { debug: ignore, info: ignore, error: ignore, warn: (...said: unknown[]) => void warned.push(said) }
  const { store, files, notes } = await place({ logger }, refusing)
  const [shop, before] = ['shop', Date.now() + 60_000]
  for (let i = 0; i < 103; i++) await store.artifacts.save({ ...key, name: `n${i}` }, bytes.subarray(0, 10))
  expect(await store.artifacts.prune({ appName: shop, before, dryRun: true })).toMatchObject({ versions: 103 })
  await store.artifacts.prune({ appName: shop, before })
  expect([(await files()).length, await notes()]).toEqual([1, [-2]])
  expect(warned).toEqual([[{ objects: 1 }, expect.any(String)]])
  expect(JSON.stringify(warned)).not.toContain(stuck)

  asked.length = 0
  await store.artifacts.prune({ appName: shop, before, dryRun: true })
  await store.artifacts.sweep({ appName: shop, dryRun: true })
  await store.sessions.prune({ appName: shop, before: 1, dryRun: true })
  expect(asked, 'who only counts deletes nothing').toEqual([])
  stuck = 'nothing more'
  await store.artifacts.sweep({ appName: shop })
  expect([await files(), await notes()]).toEqual([[], []])
})

/** Hands out the beginning, and then says nothing. */
const silent = (storage: ArtifactStorage): ArtifactStorage => ({
  ...storage,
  async *get(object) {
    for await (const piece of storage.get(object)) {
      yield piece.subarray(0, 1000)
      await new Promise(() => {})
    }
  },
})

test('a storage that says nothing any more ends a stream in its time', async () => {
  const { store } = await place({}, silent)
  await store.artifacts.save(file, bytes)
  const reading = async () => {
    let read = 0
    for await (const piece of (await store.artifacts.load(file, { stream: true, timeout: 200 }))?.stream ?? [])
      read += piece.byteLength
    return read
  }
  await expect(reading()).rejects.toMatchObject({ code: 'timeout' })
})

test('a file that was changed, or is gone, is told', async () => {
  const { store, files } = await place()
  await store.artifacts.save(file, bytes)
  const [one] = await files()
  const path = join(one?.parentPath ?? '', one?.name ?? '')
  await appendFile(path, 'x')
  await expect(store.artifacts.load(file)).rejects.toMatchObject({ code: 'corrupt' })
  await rm(path)
  await expect(store.artifacts.load(file)).rejects.toMatchObject({ code: 'unavailable' })
})

test('a codec writes there, too, and each piece is bound to its place', async () => {
  const { store, files } = await place({ codec: aesGcm('k1', randomBytes(32)) })
  const plain = Buffer.from('S3CRET'.repeat(150_000))
  await store.artifacts.save(file, plain)
  const loaded = await store.artifacts.load(file)
  expect(Buffer.from(loaded?.bytes ?? []).equals(plain)).toBe(true)
  const [one] = await files()
  const path = join(one?.parentPath ?? '', one?.name ?? '')
  expect((await readFile(path)).includes('S3CRET')).toBe(false)
  await appendFile(path, 'x')
  await expect(store.artifacts.load(file)).rejects.toMatchObject({ code: 'corrupt' })
})

test('inside a transaction bytes go into the database; a store without the storage says what it lacks, and reads what it can', async () => {
  const { store, open, files } = await place()
  await store.artifacts.save(file, bytes)
  if (store.kind !== 'sync') throw new Error('a local file is synchronous')
  await store.transaction(function* (_tx, inside) {
    yield* inside.artifacts.save(file, bytes)
  })
  expect(await files()).toHaveLength(1)
  expect(equal((await store.artifacts.load(file))?.bytes)).toBe(true)
  const without = await open({ artifacts: undefined })
  expect(equal((await without.artifacts.load(file))?.bytes)).toBe(true)
  const refused = { code: 'unsupported', facts: { capability: 'artifacts.storage' } }
  await expect(without.artifacts.load(file, { version: 0 })).rejects.toMatchObject(refused)
  expect(await without.artifacts.delete(file)).toBe(true)
  expect(await files(), 'what it could not delete').toHaveLength(1)
  await store.artifacts.sweep({ appName: 'shop' })
  expect(await files()).toEqual([])
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
