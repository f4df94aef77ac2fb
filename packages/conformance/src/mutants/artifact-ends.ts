import { isStoreError, type ArtifactKey } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { gathered, mapSave, over } from './artifact-overrides.ts'

const forgotten = { version: 0, metadata: {}, size: 0, sha256: '', createdAt: 0 }

/** Whose name it is does not matter. */
const ofUser = ({ appName, userId }: ArtifactKey, name: string): ArtifactKey => ({
  appName,
  userId,
  name: `user:${name}`,
})

/** How artifacts come to their end, with their session, their user, their age or a transaction, gone wrong. */
export const artifactEndMutants: readonly Mutant[] = [
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
]

const sessionOf = ({ appName, userId, sessionId }: { appName: string; userId: string; sessionId: string }) => ({
  appName,
  userId,
  sessionId,
})
