import type { MemoryQuery, SessionKey, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, rejects, within } from '../expect.ts'
import { keyOf, newSession, nothingWritten, say } from '../fixtures.ts'

const readers: readonly (readonly [string, (store: Store, key: SessionKey) => Promise<unknown>, unknown])[] = [
  ['sessions.get', (store, key) => store.sessions.get(key, { events: 'all' }), undefined],
  ['sessions.stateAt', (store, key) => store.sessions.stateAt(key, 0), undefined],
  ['events.get', (store, key) => store.events.get(key, 'e1'), undefined],
  ['events.list', async (store, key) => (await store.events.list(key)).items, []],
  ['sessions.list', async (store, { appName, userId }) => (await store.sessions.list({ appName, userId })).items, []],
  ['sessions.count', (store, { appName, userId }) => store.sessions.count({ appName, userId }), 0],
  ['state.get of the user', (store, { appName, userId }) => store.state.get({ appName, userId }), undefined],
]

const artifactReaders: typeof readers = [
  ['artifacts.load', (store, key) => store.artifacts.load({ ...key, name: 'a' }), undefined],
  ['artifacts.load of the user', (store, key) => store.artifacts.load({ ...key, name: 'user:a' }), undefined],
  ['artifacts.list', async (store, key) => (await store.artifacts.list(userAndSession(key))).items, []],
  ['artifacts.versions', async (store, key) => (await store.artifacts.versions({ ...key, name: 'a' })).items, []],
]

const memoryReaders: typeof readers = [
  ['memories.get', (store, { appName, userId }) => store.memories.get({ appName, userId }, 'm1'), undefined],
  ['memories.list', async (store, { appName, userId }) => (await store.memories.list({ appName, userId })).items, []],
  [
    'memories.search',
    async (store, { appName, userId }) =>
      store.capabilities.fullTextSearch === 'yes' ? foundBy(store, { appName, userId, query: 'secret' }) : [],
    [],
  ],
  [
    'memories.search of the user alone',
    async (store, { appName, userId }) =>
      store.capabilities.fullTextSearch === 'yes'
        ? foundBy(store, { appName, userId, query: 'secret', scope: 'user' })
        : [],
    [],
  ],
  [
    'memories.search by likeness',
    async (store, { appName, userId }) =>
      store.capabilities.vectorSearch === 'yes' ? foundBy(store, { appName, userId, embedding: [1, 0, 0, 0] }) : [],
    [],
  ],
]

const metricReaders: typeof readers = [
  [
    'metrics.query',
    async (store, { appName, userId }) => (await store.metrics.query({ appName, where: { userId } })).items,
    [],
  ],
]

const foundBy = async (store: Store, query: MemoryQuery) => (await store.memories.search(query)).items

const userAndSession = ({ appName, userId, sessionId }: SessionKey): SessionKey => ({ appName, userId, sessionId })

const foreignKeys = (ctx: Ctx): SessionKey[] => [
  keyOf(ctx, 's1', 'eve'),
  keyOf(ctx, 's1', 'ann', `${ctx.app}-b`),
  keyOf(ctx, 's1', 'ANN'),
  keyOf(ctx, 's1', 'ann '),
]

export async function noReadAcross(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { secret: 1, 'user:secret': 1 })
  await ctx.store.events.append(keyOf(ctx), say('e1'))
  const areas = [
    ...((await withArtifacts(ctx)) ? artifactReaders : []),
    ...((await withMemories(ctx)) ? memoryReaders : []),
    ...((await withMetrics(ctx)) ? metricReaders : []),
  ]
  for (const key of foreignKeys(ctx)) {
    for (const [name, read, nothing] of [...readers, ...areas])
      equal(
        await read(ctx.store, key),
        nothing,
        `${name} by ${key.appName === ctx.app ? 'another user' : 'another app'}`,
      )
    equal(await within(5000, tailed(ctx.store, key), 'a tail of what is not there ends'), [], 'events.tail')
  }
  equal(await ctx.store.state.get({ appName: `${ctx.app}-b` }), undefined, 'app state of another app')
}

async function tailed(store: Store, key: SessionKey): Promise<unknown[]> {
  const seen: unknown[] = []
  for await (const item of store.events.tail(key, { pollInterval: 20 })) seen.push(item)
  return seen
}

/** Saves a name of the session and one of the user, where the store has artifacts. */
async function withArtifacts(ctx: Ctx): Promise<boolean> {
  if (ctx.store.capabilities.artifacts === 'no') return false
  for (const name of ['a', 'user:a']) await ctx.store.artifacts.save({ ...keyOf(ctx), name }, Buffer.from('secret'))
  return true
}

/** Remembers something of the user, where the store has memories. */
async function withMemories(ctx: Ctx): Promise<boolean> {
  const { memories, vectorSearch } = ctx.store.capabilities
  if (memories === 'no') return false
  const embedding = vectorSearch === 'yes' ? { embedding: [1, 0, 0, 0] } : {}
  await ctx.store.memories.add(ofAnn(ctx), { id: 'm1', text: 'secret', sessionId: 's1', timestamp: 1, ...embedding })
  return true
}

/** Records something of the user, where the store has metrics. */
async function withMetrics(ctx: Ctx): Promise<boolean> {
  if (ctx.store.capabilities.metrics === 'no') return false
  await ctx.store.metrics.record([
    { ...ofAnn(ctx), traceId: 't1', spanId: 'p1', operationName: 'secret', startedAt: 1 },
  ])
  return true
}

const ofAnn = ({ app }: Ctx) => ({ appName: app, userId: 'ann' })

/** What others may write is theirs, and touches nothing that is ann's. */
async function noMemoryAcross(ctx: Ctx, { appName, userId }: SessionKey): Promise<void> {
  const { memories } = ctx.store
  const [scope, before] = [{ appName, userId }, await ctx.other.memories.get(ofAnn(ctx), 'm1')]
  const filters = [{ id: 'm1' }, { sessionId: 's1' }, { before: 2e12 }, { all: true as const }]
  for (const filter of filters)
    equal((await memories.delete({ ...scope, ...filter })).memories, 0, `memories.delete by ${Object.keys(filter)[0]}`)
  const { items } = await memories.add(scope, { id: 'm1', text: 'theirs', timestamp: 1 })
  equal(items[0]?.outcome, 'added', 'memories.add of an id that another has')
  equal(await ctx.other.memories.get(ofAnn(ctx), 'm1'), before, 'the memory of the other')
  equal((await memories.delete({ ...scope, id: 'm1' })).memories, 1, 'memories.delete of their own')
  equal(await ctx.other.memories.get(ofAnn(ctx), 'm1'), before, 'the memory of the other, later')
}

export async function noWriteAcross(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { secret: 1, 'user:secret': 1, 'app:secret': 1 })
  await ctx.store.events.append(keyOf(ctx), say('e1'))
  const { store } = ctx
  const hasArtifacts = await withArtifacts(ctx)
  const hasMemories = await withMemories(ctx)
  const hasMetrics = await withMetrics(ctx)
  for (const key of foreignKeys(ctx)) {
    await nothingWritten(
      ctx,
      async () => {
        equal(await store.sessions.delete(key), false, 'delete')
        await rejects(() => store.events.append(key, say('e2')), 'not_found', 'append')
        await rejects(
          () => store.events.append(key, say('e1', 'x'), { onDuplicate: 'replace' }),
          'not_found',
          'replace',
        )
        await rejects(() => store.sessions.update(key, { set: { secret: 2 } }), 'not_found', 'update')
        await rejects(() => store.sessions.fork(key, { sessionId: 'stolen' }), 'not_found', 'fork')
        equal((await store.erase(key)).sessions, 0, 'erase')
        equal(
          (await store.sessions.prune({ appName: key.appName, userId: key.userId, before: 2e12 })).sessions,
          0,
          'prune',
        )
        if (hasMetrics) {
          const { appName, userId } = key
          equal((await store.metrics.prune({ appName, userId, before: 2e12 })).metrics, 0, 'metrics.prune')
        }
        if (!hasArtifacts) return
        equal(await store.artifacts.delete({ ...key, name: 'a' }), false, 'artifacts.delete')
        equal(await store.artifacts.delete({ ...key, name: 'user:a' }), false, 'artifacts.delete of the user')
        await rejects(
          () => store.artifacts.save({ ...key, name: 'a' }, new Uint8Array(1)),
          'not_found',
          'artifacts.save',
        )
        const others = { appName: key.appName, userId: key.userId, before: 2e12 }
        equal((await store.artifacts.prune(others)).versions, 0, 'artifacts.prune')
      },
      `writes by ${JSON.stringify(key.userId)} of ${key.appName === ctx.app ? 'the app' : 'another app'}`,
    )
    if (hasMemories) await noMemoryAcross(ctx, key)
  }
}
