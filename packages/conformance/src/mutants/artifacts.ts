import {
  isStoreError,
  type ArtifactContent,
  type ArtifactKey,
  type LoadedArtifact,
  type SaveArtifactOptions,
  type Store,
} from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore, type Overrides } from '../wrap.ts'

type Save = (
  key: ArtifactKey,
  content: ArtifactContent,
  options: SaveArtifactOptions | undefined,
) => ReturnType<Store['artifacts']['save']>

const over = (store: Store, artifacts: NonNullable<Overrides['artifacts']>): Store => wrapStore(store, { artifacts })

const mapSave = (store: Store, save: Save): Store =>
  over(store, { save: (key, content, options) => save(key, content, options) })

/** The store with every artifact spoilt that is loaded as a whole. */
const mapLoaded = (store: Store, map: (loaded: LoadedArtifact, key: ArtifactKey) => LoadedArtifact): Store =>
  over(store, {
    load: async (key: ArtifactKey, options?: { stream?: false }) => {
      const loaded = await store.artifacts.load(key, options)
      return loaded !== undefined && 'bytes' in loaded ? map(loaded, key) : loaded
    },
  })

const isBytes = (content: ArtifactContent): content is Uint8Array => content instanceof Uint8Array

/** Everything that a content has, however it comes. */
async function gathered(content: ArtifactContent): Promise<Uint8Array> {
  if (isBytes(content)) return content
  const pieces: Uint8Array[] = []
  for await (const piece of content) pieces.push(new Uint8Array(piece))
  return Buffer.concat(pieces)
}

const asPath = (key: ArtifactKey): ArtifactKey => ({ ...key, name: key.name.replaceAll('\\', '/') })

const forgotten = { version: 0, metadata: {}, size: 0, sha256: '', createdAt: 0 }

/** Whose name it is does not matter. */
const ofUser = ({ appName, userId }: ArtifactKey, name: string): ArtifactKey => ({
  appName,
  userId,
  name: `user:${name}`,
})

/** The next version is looked up, and then written: who comes between gets the same number. */
const lookedUp = (store: Store): Store =>
  mapSave(store, async (key, content, options) => {
    const { items } = await store.artifacts.versions(key, { direction: 'desc', limit: 1 })
    await new Promise((resolve) => setImmediate(resolve))
    const saved = await store.artifacts.save(key, content, options)
    return { ...saved, version: (items[0]?.version ?? -1) + 1 }
  })

const unlessCode = (code: string, answer: unknown) => (error: unknown) => {
  if (isStoreError(error) && error.code === code) return answer as never // the bug: an answer in place of an error
  throw error
}

/** What files of sessions and users do, gone wrong. */
export const artifactMutants: readonly Mutant[] = [
  {
    id: 'M45',
    bug: 'the version of an artifact is looked up before it is written',
    check: 'ART-05',
    isRace: true,
    wrap: lookedUp,
  },
  {
    id: 'M500',
    bug: 'bytes go through text',
    check: 'ART-02',
    wrap: (store) =>
      mapSave(store, async (key, content, options) =>
        store.artifacts.save(key, isBytes(content) ? Buffer.from(Buffer.from(content).toString()) : content, options),
      ),
  },
  {
    id: 'M501',
    bug: 'an artifact is cut at 255 bytes',
    check: 'ART-01',
    canary: true,
    wrap: (store) => mapLoaded(store, (loaded) => ({ ...loaded, bytes: loaded.bytes.subarray(0, 255) })),
  },
  {
    id: 'M502',
    bug: 'bytes are kept by reference until they are written',
    check: 'ART-01',
    wrap: (store) =>
      mapSave(store, async (key, content, options) => {
        await new Promise((resolve) => setImmediate(resolve))
        return store.artifacts.save(key, content, options)
      }),
  },
  {
    id: 'M503',
    bug: 'a type is kept in lower case',
    check: 'ART-03',
    wrap: (store) =>
      mapSave(store, (key, content, options) =>
        store.artifacts.save(
          key,
          content,
          typeof options?.mimeType === 'string' ? { ...options, mimeType: options.mimeType.toLowerCase() } : options,
        ),
      ),
  },
  {
    id: 'M504',
    bug: 'a save makes the session that it needs',
    check: 'ART-03',
    wrap: (store) =>
      mapSave(store, async ({ appName, userId, sessionId, name }, content, options) => {
        if (typeof sessionId === 'string' && sessionId !== '')
          await store.sessions.create({ appName, userId, sessionId }).catch(() => {}) // it was there
        return store.artifacts.save(
          { appName, userId, ...(sessionId !== undefined && { sessionId }), name },
          content,
          options,
        )
      }),
  },
  {
    id: 'M505',
    bug: 'versions begin at 1',
    check: 'ART-04',
    wrap: (store) =>
      mapSave(store, async (key, content, options) => {
        const saved = await store.artifacts.save(key, content, options)
        return { ...saved, version: saved.version + 1 }
      }),
  },
  {
    id: 'M506',
    bug: 'a version that is not there is the newest one',
    check: 'ART-04',
    wrap: (store) =>
      over(store, {
        load: async (key: ArtifactKey, options?: { version?: number }) =>
          (await store.artifacts.load(key, options)) ?? store.artifacts.load(key),
      }),
  },
  {
    id: 'M507',
    bug: 'the version of an artifact is looked up before it is written, in each process',
    check: 'ART-05@process',
    isRace: true,
    inWorkers: true,
    wrap: lookedUp,
  },
  {
    id: 'M508',
    bug: 'names of the user are not listed with those of a session',
    check: 'ART-06',
    wrap: (store) =>
      over(store, {
        list: async (query) => {
          const page = await store.artifacts.list(query)
          return query.sessionId === undefined
            ? page
            : { ...page, items: page.items.filter(({ name }) => !name.startsWith('user:')) }
        },
      }),
  },
  {
    id: 'M509',
    bug: 'names are listed by the order of UTF-16',
    check: 'ART-06',
    wrap: (store) =>
      over(store, {
        list: async (query) => {
          const page = await store.artifacts.list(query)
          return { ...page, items: page.items.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
        },
      }),
  },
  {
    id: 'M510',
    bug: 'a name is a path',
    check: 'ART-07',
    wrap: (store) =>
      over(store, {
        save: (key, content, options) => store.artifacts.save(asPath(key), content, options),
        load: (key: ArtifactKey, options?: { stream?: false }) => store.artifacts.load(asPath(key), options),
      }),
  },
  {
    id: 'M511',
    bug: 'the delete of a version deletes them all',
    check: 'ART-08',
    wrap: (store) =>
      over(store, {
        delete: async (key, options) => {
          const { version: _version, ...rest } = options ?? {}
          return store.artifacts.delete(key, rest)
        },
      }),
  },
  {
    id: 'M512',
    bug: 'the delete of the last version deletes the name',
    check: 'ART-08',
    wrap: (store) =>
      over(store, {
        delete: async (key, options) => {
          const isDeleted = await store.artifacts.delete(key, options)
          if ((await store.artifacts.load(key)) === undefined) await store.artifacts.delete(key)
          return isDeleted
        },
      }),
  },
  {
    id: 'M513',
    bug: 'pieces of a stream are kept by reference',
    check: 'ART-09',
    wrap: (store) =>
      mapSave(store, async (key, content, options) => {
        if (isBytes(content) || !(Symbol.asyncIterator in Object(content)))
          return store.artifacts.save(key, content, options)
        const pieces: Uint8Array[] = []
        for await (const piece of content) pieces.push(piece)
        return store.artifacts.save(key, Buffer.concat(pieces), options)
      }),
  },
  {
    id: 'M46',
    bug: 'what came of a stream before its error is saved',
    check: 'ART-09@abort',
    wrap: (store) =>
      mapSave(store, async (key, content, options) => {
        if (isBytes(content)) return store.artifacts.save(key, content, options)
        const pieces: Uint8Array[] = []
        try {
          for await (const piece of content) pieces.push(new Uint8Array(piece))
        } catch {
          // The bug.
        }
        return store.artifacts.save(key, Buffer.concat(pieces), options)
      }),
  },
  {
    id: 'M514',
    bug: 'a stream is read to its end before any of it is written',
    check: 'ART-09@memory',
    wrap: (store) =>
      mapSave(store, async (key, content, options) => {
        if (isBytes(content)) return store.artifacts.save(key, content, options)
        const pieces: Uint8Array[] = []
        for await (const piece of content) pieces.push(piece)
        return store.artifacts.save(key, Buffer.concat(pieces), options)
      }),
  },
  {
    id: 'M515',
    bug: 'a stream ends without a word where its version was deleted',
    check: 'ART-09@break',
    wrap: (store) =>
      over(store, {
        load: async (key: ArtifactKey, options?: { stream?: false }) => {
          const loaded = await store.artifacts.load(key, options)
          if (loaded === undefined || !('stream' in loaded)) return loaded
          return { ...loaded, stream: quiet(loaded.stream as AsyncIterable<Uint8Array>) } // it was asked for
        },
      }),
  },
  {
    id: 'M516',
    bug: 'a stream that is too long is read to its end, or to ten times the limit',
    check: 'ART-10',
    wrap: (store) =>
      mapSave(store, async (key, content, options) => {
        if (isBytes(content)) return store.artifacts.save(key, content, options)
        const pieces: Uint8Array[] = []
        for await (const piece of content) if (pieces.push(new Uint8Array(piece)) > 100) break
        return store.artifacts.save(key, Buffer.concat(pieces), options)
      }),
  },
  {
    id: 'M517',
    bug: 'what is too long is cut',
    check: 'ART-10',
    wrap: (store) =>
      mapSave(store, (key, content, options) =>
        store.artifacts.save(
          key,
          isBytes(content) ? content.subarray(0, store.limits.artifactBytes) : content,
          options,
        ),
      ),
  },
  {
    id: 'M518',
    bug: 'damaged bytes are taken for missing ones',
    check: 'ART-11',
    wrap: (store) =>
      over(store, {
        load: (key: ArtifactKey, options?: { stream?: false }) =>
          store.artifacts.load(key, options).catch(unlessCode('corrupt', undefined)),
      }),
  },
  {
    id: 'M519',
    bug: 'artifacts of a session stay when it is deleted',
    check: 'ART-12',
    wrap: (store, { memory }) =>
      wrapStore(store, {
        artifacts: {
          save: async (key, content, options) => {
            const bytes = await gathered(content)
            memory.set(JSON.stringify([key.appName, key.userId, key.sessionId, key.name]), bytes)
            return store.artifacts.save(key, bytes, options)
          },
          load: async (key: ArtifactKey, options?: { stream?: false }) => {
            const found = await store.artifacts.load(key, options)
            const bytes = memory.get(JSON.stringify([key.appName, key.userId, key.sessionId, key.name]))
            return found ?? (bytes instanceof Uint8Array ? { ...forgotten, bytes } : undefined)
          },
        },
      }),
  },
  {
    id: 'M520',
    bug: 'a fork takes the artifacts of the session along',
    check: 'ART-12',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          fork: async (key, options) => {
            const fork = await store.sessions.fork(key, options)
            for (const { name } of (await store.artifacts.list(sessionOf(key))).items) {
              const found = name.startsWith('user:') ? undefined : await store.artifacts.load({ ...key, name })
              if (found !== undefined) await store.artifacts.save({ ...sessionOf(fork), name }, found.bytes)
            }
            return fork
          },
        },
      }),
  },
  {
    id: 'M521',
    bug: 'a save whose session is gone is kept for the user',
    check: 'ART-12@race',
    wrap: (store) =>
      mapSave(store, (key, content, options) =>
        store.artifacts.save(key, content, options).catch((error: unknown) => {
          if (!isStoreError(error) || error.code !== 'not_found') throw error
          return store.artifacts.save(ofUser(key, key.name), content, options)
        }),
      ),
  },
  {
    id: 'M522',
    bug: 'a save that is repeated makes another version',
    check: 'ART-13',
    wrap: (store) =>
      mapSave(store, (key, content, options) => {
        const { saveId: _saveId, ...rest } = options ?? {}
        return store.artifacts.save(key, content, rest)
      }),
  },
  {
    id: 'M523',
    bug: 'a save id answers its version whatever comes with it',
    check: 'ART-13',
    wrap: (store) =>
      mapSave(store, async (key, content, options) => {
        try {
          return await store.artifacts.save(key, content, options)
        } catch (error) {
          if (!isStoreError(error) || error.code !== 'conflict') throw error
          return { version: 0, size: 0, sha256: '', createdAt: 0, saveId: options?.saveId ?? '', duplicate: true }
        }
      }),
  },
  {
    id: 'M524',
    bug: 'prune takes the boundary along',
    check: 'ART-14',
    wrap: (store) =>
      over(store, { prune: (query) => store.artifacts.prune({ ...query, before: query.before + 0.001 }) }),
  },
  {
    id: 'M525',
    bug: 'prune forgets the user',
    check: 'ART-14',
    wrap: (store) =>
      over(store, {
        prune: ({ userId: _userId, ...query }) => store.artifacts.prune(query),
      }),
  },
  {
    id: 'M526',
    bug: 'sweep removes nothing',
    check: 'ART-15',
    wrap: (store) => over(store, { sweep: async ({ dryRun = false }) => ({ uploads: 0, dryRun }) }),
  },
  {
    id: 'M527',
    bug: 'a dry sweep sweeps',
    check: 'ART-15',
    wrap: (store) =>
      over(store, {
        sweep: async (query) => ({
          ...(await store.artifacts.sweep({ ...query, dryRun: false })),
          dryRun: query.dryRun ?? false,
        }),
      }),
  },
  {
    id: 'M528',
    bug: 'artifacts are saved outside of the transaction that they are saved in',
    check: 'ART-16',
    wrap: (store) => store,
    transaction: (real) => ({
      rows: () => real.rows(),
      run: async (store, body) => {
        const late: (() => Promise<unknown>)[] = []
        try {
          return await real.run(store, (joined, own) =>
            body(
              wrapStore(joined, {
                artifacts: {
                  save: async (key, content, options) => {
                    const bytes = await gathered(content)
                    late.push(() => store.artifacts.save(key, bytes, options))
                    return { version: 0, size: 0, sha256: '', createdAt: 0, saveId: '', duplicate: false }
                  },
                },
              }),
              own,
            ),
          )
        } finally {
          for (const save of late) await save()
        }
      },
    }),
  },
  {
    id: 'M529',
    bug: 'an erasure forgets the artifacts of the user',
    check: 'ERA-03',
    wrap: (store) =>
      wrapStore(store, { erase: async (user, options) => ({ ...(await store.erase(user, options)), artifacts: 2 }) }),
  },
  {
    id: 'M530',
    bug: 'names of the user are shared by all users of the app',
    check: 'SEC-06',
    fact: 'artifacts',
    wrap: (store, { memory }) =>
      over(store, {
        save: async (key, content, options) => {
          memory.set(key.name, key)
          return store.artifacts.save(key, content, options)
        },
        load: async (key: ArtifactKey, options?: { stream?: false }) => {
          const first = memory.get(key.name) as ArtifactKey | undefined // what save put there
          return store.artifacts.load(key.name.startsWith('user:') && first !== undefined ? first : key, options)
        },
      }),
  },
  {
    id: 'M531',
    bug: 'a list of names looks for each of them',
    check: 'PRF-03@artifacts',
    wrap: (store) =>
      over(store, {
        list: async (query) => {
          const page = await store.artifacts.list(query)
          for (const one of page.items) await store.artifacts.load(one, { stream: true })
          return page
        },
      }),
  },
]

const sessionOf = ({ appName, userId, sessionId }: { appName: string; userId: string; sessionId: string }) => ({
  appName,
  userId,
  sessionId,
})

async function* quiet(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* stream
  } catch {
    // The bug.
  }
}
