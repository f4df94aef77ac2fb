import { isStoreError, type ArtifactKey, type ErrorCode, type LoadedArtifact, type Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { isCode } from './answers.ts'
import { isBytes, mapSave, over } from './artifact-overrides.ts'

/** The store with every artifact spoilt that is loaded as a whole. */
const mapLoaded = (store: Store, map: (loaded: LoadedArtifact, key: ArtifactKey) => LoadedArtifact): Store =>
  over(store, {
    load: async (key: ArtifactKey, options?: { stream?: false }) => {
      const loaded = await store.artifacts.load(key, options)
      return loaded !== undefined && 'bytes' in loaded ? map(loaded, key) : loaded
    },
  })

const asPath = (key: ArtifactKey): ArtifactKey => ({ ...key, name: key.name.replaceAll('\\', '/') })

/** The next version is looked up, and then written: who comes between gets the same number. */
const lookedUp = (store: Store): Store =>
  mapSave(store, async (key, content, options) => {
    const { items } = await store.artifacts.versions(key, { direction: 'desc', limit: 1 })
    await new Promise((resolve) => setImmediate(resolve))
    const saved = await store.artifacts.save(key, content, options)
    return { ...saved, version: (items[0]?.version ?? -1) + 1 }
  })

const unlessCode = (code: ErrorCode, answer: unknown) => (error: unknown) => {
  if (isCode(error, code)) return answer as never // the bug: an answer in place of an error
  throw error
}

/** What files of sessions and users are, gone wrong. */
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
