import { createHash, randomUUID } from 'node:crypto'
import { access, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  areasOf,
  capabilitiesWith,
  checkedFlag,
  checkedOptions,
  createInMemoryDatabase,
  createInMemoryStore,
  databaseText,
  isStoreError,
  StoreError,
  storeContext,
  unsupported,
  withoutPathIndexes,
  type Call,
  type CallOptions,
  type Health,
  type Store,
  type StoreOptions,
} from '@daybook/core'
import { tailOf } from './tail.ts'

export interface JsonFilesOptions extends StoreOptions {
  /** A folder that is there; each app becomes a file in it. One process at a time. */
  readonly folder: string
}

/**
 * A store of JSON files: for small data that somebody wants to read with an editor. A call reads the file of its app into the
 * reference store, lets that do what the contract says, and writes the file anew, by one rename.
 */
export function openJsonFilesStore({ folder, ...options }: JsonFilesOptions): Store {
  const { calls, limits, areas } = storeContext(options)
  // A name may hold anything, and some file systems take `A` for `a`.
  const pathOf = (appName: string) => join(folder, `${createHash('sha256').update(appName).digest('hex')}.json`)

  async function load(path: string) {
    const database = createInMemoryDatabase(await readFile(path, 'utf8').catch(noFile))
    return { database, store: createInMemoryStore({ ...options, database }) }
  }

  /** A call that only reads: the file is replaced as a whole, so what it reads is one view. */
  const read = <T>(name: string, key: unknown, given: CallOptions | undefined, body: (store: Store) => Promise<T>) =>
    calls.run(name, given, async () => body((await load(pathOf(appOf(key)))).store))

  /** A call that writes, after those that were asked for before it. What is refused leaves the file as it was. */
  const change = <T>(name: string, key: unknown, given: CallOptions | undefined, body: (store: Store) => Promise<T>) =>
    calls.run(name, given, (call) => {
      const path = pathOf(appOf(key))
      return inTurn(path, async () => {
        const { database, store } = await load(path)
        const answer = await body(store).catch(asUntouched)
        await replace(path, databaseText(database), call)
        return answer
      })
    })

  return {
    capabilities: capabilitiesWith(
      {
        ...createInMemoryStore().capabilities,
        persistent: 'yes',
        memories: 'no',
        fullTextSearch: 'no',
        artifacts: 'no',
        metrics: 'no',
        lease: 'no',
        liveNotify: 'no',
        nativeVectors: 'no',
        transactionalDdl: 'no',
      },
      areas,
    ),
    limits,
    sessions: {
      create: (session, given) => change('sessions.create', session, given, (to) => to.sessions.create(session, given)),
      update: (key, delta, given) =>
        change('sessions.update', key, given, (to) => to.sessions.update(key, delta, given)),
      delete: (key, given) => change('sessions.delete', key, given, (to) => to.sessions.delete(key, given)),
      fork: (key, given) => change('sessions.fork', key, given, (to) => to.sessions.fork(key, given)),
      prune: (query) => change('sessions.prune', query, query, (to) => to.sessions.prune(query)),
      get: (key, given) => read('sessions.get', key, given, (from) => from.sessions.get(key, given)),
      list: (query) => read('sessions.list', query, query, (from) => from.sessions.list(query)),
      count: (filter) => read('sessions.count', filter, filter, (from) => from.sessions.count(filter)),
      stateAt: (key, seq, given) =>
        read('sessions.stateAt', key, given, (from) => from.sessions.stateAt(key, seq, given)),
      lease: (_key, given) => calls.run('sessions.lease', given, () => Promise.reject(noLeases())),
    },
    events: {
      append: (key, events, given) =>
        change('events.append', key, given, (to) => {
          if (given?.lease !== undefined) throw noLeases()
          return to.events.append(key, events, given)
        }),
      get: (key, id, given) => read('events.get', key, given, (from) => from.events.get(key, id, given)),
      list: (key, query) => read('events.list', key, query, (from) => from.events.list(key, query)),
      tail: (key, given) =>
        tailOf({ calls, limits, load: async () => (await load(pathOf(appOf(key)))).store }, key, given),
    },
    state: {
      get: (key, given) => read('state.get', key, given, (from) => from.state.get(key, given)),
      update: (key, delta, given) => change('state.update', key, given, (to) => to.state.update(key, delta, given)),
    },
    ...areasOf({ calls, areas }),
    ...withoutPathIndexes(calls),
    erase: (user, given) => change('erase', user, given, (to) => to.erase(user, given)),
    migrate: (given) => read('migrate', undefined, given, (from) => from.migrate(given)),
    health: (given) =>
      calls.run('health', given, async (): Promise<Health> => {
        const isDeep = checkedFlag(checkedOptions(given, ['deep']).deep, 'deep')
        const started = performance.now()
        await access(folder)
        const latency = performance.now() - started
        const rest = { schemaVersion: undefined, warnings: [], ...(isDeep && { settings: {} }) }
        return { ok: true, flavour: 'json files', version: '1', latency, ...rest }
      }),
    close: () => calls.close(),
    [Symbol.asyncDispose]: () => calls.close(),
  }
}

/** The reference store removes in chunks, and here all of it comes to the file or nothing. */
function asUntouched(error: unknown): never {
  if (!isStoreError(error) || error.facts.removed === undefined) throw error
  const { removed: _none, ...facts } = error.facts
  throw new StoreError(error.code, error.message, { ...facts, cause: error.cause, retryable: error.retryable })
}

/** A file is read anew for each call, so nobody here could renew one. */
const noLeases = () => unsupported('lease', 'leases')

/** The app of a key, or a name that no app has: what is wrong with it the reference store tells. */
function appOf(key: unknown): string {
  try {
    const { appName } = key as { readonly appName?: unknown } // whatever it is, a member of it is looked at
    return typeof appName === 'string' ? appName : ''
  } catch {
    return '' // a getter that throws, or no object at all
  }
}

/** Changes of one file come one after the other, whoever in this process asks for them. */
const queues = new Map<string, Promise<unknown>>()

function inTurn<T>(path: string, change: () => Promise<T>): Promise<T> {
  const turn = (queues.get(path) ?? Promise.resolve()).then(change)
  queues.set(
    path,
    turn.catch(() => {}),
  ) // whoever asked hears of it
  return turn
}

async function replace(path: string, text: string, call: Call): Promise<void> {
  const next = `${path}.${randomUUID()}`
  await writeFile(next, text, { flush: true })
  call.check()
  call.committing()
  await rename(next, path)
  call.committed()
}

function noFile(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}
