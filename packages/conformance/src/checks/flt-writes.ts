import type { ErrorCode, SessionKey, Store } from '@daybook/core'
import { idsOf, numbers, say, seqsOf } from '../fixtures.ts'

/** A method that writes, as the faults hit it. Each time it gets an app of its own, so that what is there is its work. */
export interface Write {
  readonly name: string
  /** What has to be there before. */
  before(store: Store, key: SessionKey): Promise<unknown>
  call(store: Store, key: SessionKey, options?: { signal?: AbortSignal; timeout?: number }): Promise<unknown>
  /** What is there of it. Comparable between two apps, and the same after one call and after its safe repetition. */
  look(store: Store, key: SessionKey): Promise<unknown>
  /** What the repetition may answer when the first call is there. */
  readonly again?: ErrorCode
}

const state = { own: 1, 'user:u': 1, 'app:a': 1 }
const changed = { own: 2, 'user:u': 2, 'app:a': 2 }

const create = (store: Store, key: SessionKey) => store.sessions.create({ ...key, state })
const filled = async (store: Store, key: SessionKey) => {
  await create(store, key)
  await store.events.append(key, [say('e1'), say('e2')])
}
const forked = (key: SessionKey) => ({ ...key, sessionId: 'fork' })

/** The session with its events; without the revision, which a repeated delta may raise again. */
const content = async (store: Store, key: SessionKey) => {
  const session = await store.sessions.get(key, { events: 'all' })
  return session && { state: session.state, ids: idsOf(session.events), seqs: seqsOf(session.events) }
}

const revised = async (store: Store, key: SessionKey) => [
  await content(store, key),
  (await store.sessions.get(key))?.revision,
]

/** An append of so many events that their bytes do not fit into one packet of the network. */
export const batchOf = (count: number): Write => ({
  name: `events.append of ${count} events`,
  before: create,
  call: (store, key, options) =>
    store.events.append(
      key,
      numbers(count).map((i) => say(`b${i}`, 'x'.repeat(2000), { actions: { stateDelta: { own: i, 'app:a': i } } })),
      options,
    ),
  look: revised,
})

export const append: Write = {
  name: 'events.append',
  before: create,
  call: (store, key, options) =>
    store.events.append(key, say('e1', 'x', { actions: { stateDelta: changed } }), options),
  look: revised,
}

export const createSession: Write = {
  name: 'sessions.create',
  before: async () => {},
  call: (store, key, options) => store.sessions.create({ ...key, state }, options),
  look: revised,
  again: 'already_exists',
}

/** Of several statements on every database. */
export const update: Write = {
  name: 'sessions.update',
  before: create,
  call: (store, key, options) => store.sessions.update(key, { set: changed, unset: ['gone'] }, options),
  look: content,
}

export const writes: readonly Write[] = [
  createSession,
  append,
  {
    ...append,
    name: 'events.append with expectedRevision',
    call: (store, key, options) => store.events.append(key, say('e1'), { ...options, expectedRevision: 1 }),
  },
  {
    ...batchOf(3),
    name: 'events.append of a known and a new event',
    before: filled,
    call: (store, key, options) =>
      store.events.append(key, [say('e2'), say('e3', 'x', { actions: { stateDelta: changed } })], options),
  },
  update,
  {
    name: 'state.update',
    before: create,
    call: (store, { appName, userId }, options) => store.state.update({ appName, userId }, { set: { u: 2 } }, options),
    look: content,
  },
  {
    name: 'sessions.fork',
    before: filled,
    call: (store, key, options) => store.sessions.fork(key, { sessionId: 'fork', ...options }),
    look: async (store, key) => [await content(store, key), await content(store, forked(key))],
    again: 'already_exists',
  },
  {
    name: 'sessions.delete',
    before: filled,
    call: (store, key, options) => store.sessions.delete(key, options),
    look: async (store, key) => [await content(store, key), (await store.events.list(key)).items.length],
  },
  {
    name: 'erase',
    before: filled,
    call: (store, { appName, userId }, options) => store.erase({ appName, userId }, options),
    look: async (store, key) => [await content(store, key), await store.state.get(key)].map(withoutTime),
  },
  {
    name: 'sessions.prune',
    before: filled,
    call: (store, { appName }, options) => store.sessions.prune({ appName, before: 4e12, ...options }),
    look: content,
  },
]

const someBytes = new Uint8Array(300_000).fill(7)
const file = (key: SessionKey) => ({ ...key, name: 'a' })

/** The versions of a name with their sums, which say what their bytes are, and that those of the newest are there. */
const versions = async (store: Store, key: SessionKey) => {
  const { items } = await store.artifacts.versions(file(key))
  const newest = await store.artifacts.load(file(key))
  return [items.map(({ version, sha256, size }) => ({ version, sha256, size })), newest?.bytes.byteLength]
}

const save: Write = {
  name: 'artifacts.save',
  before: create,
  call: (store, key, options) => store.artifacts.save(file(key), someBytes, { ...options, saveId: 'once' }),
  look: versions,
}

/** A save whose id the store makes up. */
export const saveWithoutId: Write = {
  ...save,
  name: 'artifacts.save without an id',
  call: (store, key, options) => store.artifacts.save(file(key), someBytes, options),
}

/** The same save again, by the id that its error has named. */
export const repeatSave = (store: Store, key: SessionKey, saveId: string): ReturnType<Store['artifacts']['save']> =>
  store.artifacts.save(file(key), someBytes, { saveId })

/** What is written of files, where a store has them. */
export const artifactWrites: readonly Write[] = [
  save,
  {
    name: 'artifacts.save of a stream',
    before: create,
    call: (store, key, options) => store.artifacts.save(file(key), inParts(), { ...options, saveId: 'once' }),
    look: versions,
  },
  {
    name: 'artifacts.delete',
    before: async (store, key) => {
      await create(store, key)
      for (const saveId of ['1', '2']) await store.artifacts.save(file(key), someBytes, { saveId })
    },
    call: (store, key, options) => store.artifacts.delete(file(key), options),
    look: versions,
  },
]

/** Longer than what is written in one transaction. */
async function* inParts(): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < 5; i += 1) yield someBytes
}

const withoutTime = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && 'updatedAt' in value ? { ...value, updatedAt: 0 } : value
