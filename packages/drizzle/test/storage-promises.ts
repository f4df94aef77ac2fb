import {
  createDirectoryStorage,
  type ArtifactStorage,
  type JoinedStore,
  type Store,
  type StoredObject,
  StoreError,
} from '@daybook/core'
import { randomBytes } from 'node:crypto'
import { appendFile, mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { DrizzleStoreOptions } from '../src/options.ts'
import { aesGcm } from './codecs.ts'

/** One database with our tables. */
export interface StoragePlace<S extends Store = Store> {
  /** Another store over it. It is closed with the test. */
  readonly open: (options: DrizzleStoreOptions) => Promise<S>
  /** The numbers of all pieces of artifacts, and of the notes among them. */
  readonly notes: () => Promise<readonly number[]>
  /** Runs a body in a transaction of the application. Absent where none can be joined. */
  readonly joined?: <T>(store: S, body: (inside: JoinedStore) => Promise<T>) => Promise<T>
}

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
const file = { ...key, name: '../secret name' }
const bytes = randomBytes(700_001)

const asItIs = (storage: ArtifactStorage) => storage
const equal = (got: Uint8Array | undefined) => Buffer.from(got ?? []).equals(bytes)

async function* broken() {
  yield bytes.subarray(0, 300_000)
  throw new Error('the disk of the caller')
}

async function* pieces() {
  for (let from = 0; from < bytes.byteLength; from += 100_000) yield bytes.subarray(from, from + 100_000)
}

const ignore = () => {}

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

/** Deletes nothing and says nothing, until its call is over. */
const hanging = (asked: string[], told: string[] = []) => {
  const state = { hangs: true }
  const change = (storage: ArtifactStorage): ArtifactStorage => ({
    ...storage,
    delete: (object, call) => {
      asked.push(object.id)
      call?.signal.addEventListener('abort', () => told.push(object.id))
      return state.hangs ? new Promise(() => {}) : storage.delete(object)
    },
  })
  return { state, change }
}

/** Takes its time for each. */
const slow = (storage: ArtifactStorage): ArtifactStorage => ({
  ...storage,
  delete: async (object) => {
    await new Promise((resolve) => setTimeout(resolve, 50))
    await storage.delete(object)
  },
})

/** What bytes of artifacts promise that are in a storage, on every database. */
export function storagePromises<S extends Store>(
  newPlace: () => Promise<StoragePlace<S>>,
  { hasCodec = true } = {},
): void {
  vi.setConfig({ testTimeout: 60_000 }) // a server may be busy

  /** A store whose artifacts are in a folder, and ways to look at both. */
  async function place(
    options: DrizzleStoreOptions = {},
    change: (storage: ArtifactStorage) => ArtifactStorage = asItIs,
  ) {
    const folder = await mkdtemp(join(tmpdir(), 'daybook-storage-'))
    onTestFinished(() => rm(folder, { recursive: true, force: true }))
    const { open: openPlace, ...rest } = await newPlace()
    const storage = createDirectoryStorage(folder)
    const open = (more: DrizzleStoreOptions = {}) =>
      openPlace({ artifacts: { storage: change(storage) }, ...options, ...more })
    const store = await open()
    await store.sessions.create(key)
    return {
      ...rest,
      store,
      open,
      folder,
      files: async () =>
        (await readdir(folder, { recursive: true, withFileTypes: true })).filter((one) => one.isFile()),
    }
  }

  test('come back as they were saved, in files named by nobody, and nothing of them is in the database', async () => {
    const { store, files, notes } = await place()
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
    const { store, files, notes } = await place()
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
    const { store, files, notes } = await place({ limits: { artifactBytes: 700_000 } })
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

  test('one that deletes nothing is asked for a few of what waits, in turn, and by a sweep for all', async () => {
    const asked: string[] = []
    let isAway = true
    const away = (storage: ArtifactStorage): ArtifactStorage => ({
      ...storage,
      get: (object) => storage.get(object),
      delete: (object) => {
        asked.push(object.id)
        return isAway && object.appName === 'shop'
          ? Promise.reject(new Error('the bucket is away'))
          : storage.delete(object)
      },
    })
    const { store, files, notes } = await place({}, away)
    const names = Array.from({ length: 12 }, (_, i) => `n${i}`)
    for (const name of names) await store.artifacts.save({ ...key, name }, bytes.subarray(0, 10))
    for (const name of names) {
      asked.length = 0
      expect(await store.artifacts.delete({ ...key, name })).toBe(true)
      expect(asked.length, 'objects that one delete asks for').toBeLessThanOrEqual(3)
    }
    expect([(await files()).length, (await notes()).length]).toEqual([12, 12])
    const everyOne = new Set<string>()
    for (let i = 0; i < 4; i++) {
      asked.length = 0
      await store.artifacts.prune({ appName: 'shop', before: 1 })
      for (const id of asked) everyOne.add(id)
    }
    expect(everyOne.size, 'objects that four calls ask for').toBe(12)
    asked.length = 0
    await store.artifacts.sweep({ appName: 'shop' })
    expect(asked).toHaveLength(12)

    const other = { appName: 'mall', userId: 'ann', sessionId: 's1' }
    await store.sessions.create(other)
    await store.artifacts.save({ ...other, name: 'a' }, bytes)
    asked.length = 0
    await store.artifacts.delete({ ...other, name: 'a' })
    expect([asked.length, (await files()).length], 'of an app whose storage does as it is told').toEqual([1, 12])
    isAway = false
    await store.artifacts.prune({ appName: 'shop', before: 1 })
    expect([await files(), await notes()], 'all of them, wherever it begins').toEqual([[], []])
  })

  test('one that does not answer is asked for one object by each call', async () => {
    const asked: string[] = []
    const { state, change } = hanging(asked)
    const { store, files, notes } = await place({}, change)
    const names = ['a', 'b', 'c', 'd']
    for (const name of names) await store.artifacts.save({ ...key, name }, bytes.subarray(0, 10))
    for (const name of names) await store.artifacts.delete({ ...key, name }, { timeout: 300 })
    expect([asked.length, new Set(asked).size]).toEqual([4, 4])
    state.hangs = false
    await store.artifacts.sweep({ appName: 'shop' })
    expect([await files(), await notes()]).toEqual([[], []])
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

  test.runIf(hasCodec)('a codec writes there, too, and each piece is bound to its place', async () => {
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

  test('a store without the storage says what it lacks, and reads what it can; one with it reads both', async () => {
    const { store, open, files } = await place()
    await store.artifacts.save(file, bytes)
    const without = await open({ artifacts: {} })
    expect(await without.artifacts.save(file, bytes)).toMatchObject({ version: 1 })
    expect(await files()).toHaveLength(1)
    for (const one of [store, without]) expect(equal((await one.artifacts.load(file))?.bytes)).toBe(true)
    const refused = { code: 'unsupported', facts: { capability: 'artifacts.storage' } }
    await expect(without.artifacts.load(file, { version: 0 })).rejects.toMatchObject(refused)
    expect(await without.artifacts.delete(file)).toBe(true)
    expect(await files(), 'what it could not delete').toHaveLength(1)
    await store.artifacts.sweep({ appName: 'shop' })
    expect(await files()).toEqual([])
  })

  test('what is deleted while it is read is missing, and what a storage lost is not', async () => {
    let between: (() => Promise<unknown>) | undefined
    const gap = (storage: ArtifactStorage): ArtifactStorage => ({
      ...storage,
      async *get(object) {
        const work = between
        between = undefined
        await work?.()
        yield* storage.get(object)
      },
    })
    const { store, open, files } = await place({}, gap)
    const other = await open()
    await store.artifacts.save(file, bytes)
    between = () => other.artifacts.delete(file)
    expect(await store.artifacts.load(file)).toBeUndefined()

    for (const seed of [1, 2]) await store.artifacts.save(file, bytes.subarray(seed))
    between = () => other.artifacts.delete(file, { version: 1 })
    expect((await store.artifacts.load(file))?.version, 'the newest that is left').toBe(0)
    const opened = await store.artifacts.load(file, { stream: true })
    between = () => other.artifacts.delete(file)
    const reading = async () => {
      for await (const piece of opened?.stream ?? []) expect(piece).toBeInstanceOf(Uint8Array)
    }
    await expect(reading()).rejects.toMatchObject({ code: 'not_found' })

    await store.artifacts.save(file, bytes)
    for (const { parentPath, name } of await files()) await rm(join(parentPath, name))
    await expect(store.artifacts.load(file)).rejects.toMatchObject({ code: 'unavailable' })
    between = () => Promise.reject(new StoreError('not_found', 'no such object'))
    await expect(store.artifacts.load(file), 'said by a storage').rejects.toMatchObject({ code: 'unavailable' })
  })

  test('a storage that does not answer takes no longer than its call, and the call has done its work', async () => {
    const [asked, told]: [StoredObject['id'][], StoredObject['id'][]] = [[], []]
    const { state, change } = hanging(asked, told)
    const { store, files, notes } = await place({}, change)
    for (const name of ['a', 'b', 'c']) await store.artifacts.save({ ...key, name }, bytes)
    const began = performance.now()
    expect(await store.artifacts.delete({ ...key, name: 'a' }, { timeout: 1500 })).toBe(true)
    expect(performance.now() - began).toBeLessThan(4000)
    expect([asked.length, told], 'the storage was told that nobody waits for it').toEqual([1, asked])
    expect([await store.artifacts.versions({ ...key, name: 'a' }), await notes()]).toMatchObject([{ items: [] }, [-2]])

    const aborting = new AbortController()
    const deleting = store.artifacts.delete({ ...key, name: 'b' }, { signal: aborting.signal })
    await expect.poll(() => asked.length).toBe(2)
    aborting.abort()
    expect(await deleting).toBe(true)
    state.hangs = false
    await store.artifacts.delete({ ...key, name: 'c' })
    expect([await files(), await notes()]).toEqual([[], []])
  })

  test('close() does not wait for a storage that does not answer, and what it is about is not forgotten', async () => {
    const asked: string[] = []
    const { change } = hanging(asked)
    const { store, folder, open, files, notes } = await place({}, change)
    await store.artifacts.save(file, bytes)
    const erasing = store.erase(key)
    await expect.poll(() => asked.length).toBe(1)
    const began = performance.now()
    await store.close()
    expect(performance.now() - began).toBeLessThan(4000)
    expect(await erasing).toMatchObject({ artifacts: 1 })
    expect([(await files()).length, await notes()]).toEqual([1, [-2]])
    const later = await open({ artifacts: { storage: createDirectoryStorage(folder) } })
    await later.artifacts.sweep({ appName: 'shop' })
    expect([await files(), await notes()]).toEqual([[], []])
  })

  test('a storage that answers slowly gets the time of the call', async () => {
    const { store, files, notes } = await place({}, slow)
    for (let i = 0; i < 10; i++) await store.artifacts.save(file, bytes.subarray(i))
    expect(await store.artifacts.delete(file)).toBe(true)
    expect([await files(), await notes()]).toEqual([[], []])
  })

  test('in a transaction of the application bytes go into the database, and what it deletes goes when it has committed', async () => {
    const { store, joined, files, notes } = await place()
    if (joined === undefined) return // a synchronous driver has none
    await store.artifacts.save(file, bytes)
    class Rollback extends Error {}
    const rolled = joined(store, async (inside) => {
      expect(await inside.artifacts.delete(file)).toBe(true)
      await inside.artifacts.save(file, bytes)
      throw new Rollback()
    })
    await expect(rolled).rejects.toThrow(Rollback)
    expect([(await files()).length, await notes()]).toEqual([1, []])
    await joined(store, async (inside) => {
      expect(equal((await inside.artifacts.load(file))?.bytes)).toBe(true)
      expect(await inside.artifacts.save(file, bytes)).toMatchObject({ version: 1 })
      expect(await inside.artifacts.delete(file, { version: 0 })).toBe(true)
    })
    expect((await files()).length, 'as long as nobody swept').toBe(1)
    expect(await notes()).toContain(-2)
    await store.artifacts.sweep({ appName: 'shop' })
    expect(await files()).toEqual([])
    expect(equal((await store.artifacts.load(file))?.bytes)).toBe(true)
  })
}
