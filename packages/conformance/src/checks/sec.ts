import type { MemoryQuery, SessionKey, Store } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects, within } from '../expect.ts'
import { keyOf, loaded, newSession, nothingWritten, say, sessionIdsOf, walkEvents, walkSessions } from '../fixtures.ts'
import { honoured, oracleMember, unlessLacking } from '../whitebox.ts'
import { identifiersAreQuoted } from './life-schema.ts'
import { statementsCarryTheTenant } from './sec-statements.ts'

export const injections: readonly string[] = [
  `'; DROP TABLE sessions; --`,
  `' OR '1'='1`,
  `" OR ""="`,
  `\\'; DELETE FROM events; --`,
  `1; SELECT pg_sleep(5)`,
  `$1`,
  `?`,
  `:name`,
  `%' OR 1=1 #`,
  '`; SHUTDOWN; `',
  `{"$gt": ""}`,
  `../../etc/passwd`,
  `\u0027`,
  `/* */`,
]

async function literal(ctx: Ctx): Promise<void> {
  for (const [i, text] of injections.entries()) {
    const key = { appName: `${ctx.app}${text}`, userId: text, sessionId: text }
    const created = await ctx.store.sessions.create({ ...key, state: { [text]: text, [`app:${text}`]: i } })
    equal({ appName: created.appName, userId: created.userId, sessionId: created.sessionId }, key, 'the key')
    const event = say(text, text, {
      author: text,
      branch: text,
      invocationId: text,
      errorCode: text,
      actions: { stateDelta: { [text]: [text] }, stateUnset: [`user:${text}`] },
    })
    await ctx.store.events.append(key, event)
    equal((await ctx.other.events.get(key, text))?.event, event, `an event of ${text}`)
    equal((await loaded(ctx, key)).state, { [text]: [text], [`app:${text}`]: i }, `state of ${text}`)
    equal(
      (await ctx.other.events.list(key, { author: text, branch: text, invocationId: text })).items.length,
      1,
      `a filter of ${text}`,
    )
    equal((await ctx.other.events.list(key, { author: `${text}x` })).items, [], `a filter that is not ${text}`)
    equal(
      sessionIdsOf(await walkSessions(ctx.other, { appName: key.appName, userId: text })),
      [text],
      `list of ${text}`,
    )
    await rejects(
      () => ctx.store.sessions.list({ appName: key.appName, cursor: text }),
      'invalid_cursor',
      `cursor ${text}`,
    )
    equal(await ctx.store.sessions.delete(key), true, `delete of ${text}`)
  }
}

const patterns = ['s%', 's_', '%', '_', '.*', 's.', '[s]1', 's?', 's*', '\\%', 's\\_', '^s1$', '(s1)', 's|x']

async function patternsAreLiteral(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { plain: true })
  await ctx.store.events.append(keyOf(ctx), say('e1', 'x', { author: 'user' }))
  for (const pattern of patterns) {
    equal(await ctx.other.sessions.get(keyOf(ctx, pattern)), undefined, `get of ${pattern}`)
    equal((await ctx.other.events.list(keyOf(ctx, pattern))).items, [], `events of ${pattern}`)
    equal(await ctx.other.events.get(keyOf(ctx), pattern), undefined, `event ${pattern}`)
    equal((await ctx.other.events.list(keyOf(ctx), { author: pattern })).items, [], `author ${pattern}`)
    equal(await ctx.other.sessions.get(keyOf(ctx, 's1', pattern)), undefined, `user ${pattern}`)
    equal((await ctx.other.sessions.list({ appName: pattern })).items, [], `app ${pattern}`)
    equal(await ctx.store.sessions.delete(keyOf(ctx, pattern)), false, `delete of ${pattern}`)
  }
  equal((await loaded(ctx)).events.length, 1, 'the session is still there')
}

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

const foundBy = async (store: Store, query: MemoryQuery) => (await store.memories.search(query)).items

const userAndSession = ({ appName, userId, sessionId }: SessionKey): SessionKey => ({ appName, userId, sessionId })

const foreignKeys = (ctx: Ctx): SessionKey[] => [
  keyOf(ctx, 's1', 'eve'),
  keyOf(ctx, 's1', 'ann', `${ctx.app}-b`),
  keyOf(ctx, 's1', 'ANN'),
  keyOf(ctx, 's1', 'ann '),
]

async function noReadAcross(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { secret: 1, 'user:secret': 1 })
  await ctx.store.events.append(keyOf(ctx), say('e1'))
  const areas = [
    ...((await withArtifacts(ctx)) ? artifactReaders : []),
    ...((await withMemories(ctx)) ? memoryReaders : []),
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

async function noWriteAcross(ctx: Ctx): Promise<void> {
  await newSession(ctx, 's1', { secret: 1, 'user:secret': 1, 'app:secret': 1 })
  await ctx.store.events.append(keyOf(ctx), say('e1'))
  const { store } = ctx
  const hasArtifacts = await withArtifacts(ctx)
  const hasMemories = await withMemories(ctx)
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

async function noPollution(ctx: Ctx): Promise<void> {
  const hostile = JSON.parse(
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"a":{"__proto__":{"polluted":1}}}',
  ) as Record<string, unknown> // an object
  await newSession(ctx, 's1', hostile)
  await ctx.store.events.append(
    keyOf(ctx),
    say('e1', 'x', {
      content: hostile,
      actions: { stateDelta: { ...hostile, ['app:__proto__']: 1 }, stateUnset: ['prototype'] },
      ['constructor']: { a: 1 },
    }),
  )
  const { state, events } = await loaded(ctx)
  for (const document of [state, present(events[0], 'the event').event.content as object]) {
    // it was given as one
    equal(
      Object.keys(document)
        .filter((key) => !key.startsWith('app:'))
        .toSorted(),
      ['__proto__', 'a', 'constructor'],
      'the keys are own, plain keys',
    )
    equal(Object.getPrototypeOf(document), Object.prototype, 'the prototype is the usual one')
    equal(Reflect.get(document, 'polluted'), undefined, 'nothing is inherited from a payload')
  }
  equal(Reflect.get({}, 'polluted'), undefined, 'Object.prototype is clean')
  await newSession(ctx, '__proto__', { x: 1 }, 'constructor')
  equal((await loaded(ctx, keyOf(ctx, '__proto__', 'constructor'))).sessionId, '__proto__', 'a session id __proto__')
}

/** Row-level security under the store: nothing of it runs as somebody else, and nothing is answered from beside the rows. */
async function confinedRole(ctx: Ctx): Promise<void> {
  unlessLacking(ctx, 'roles')
  honoured(ctx, 'role')
  const confine = oracleMember(ctx, 'confine')
  await ctx.store.migrate()
  const foreign = { appName: `${ctx.app}.other`, userId: 'ann', sessionId: 's1' }
  await ctx.store.sessions.create({ ...foreign, state: { a: 1, 'app:a': 1, 'user:a': 1 } })
  await ctx.store.events.append(foreign, say('e1'))
  await confine(ctx.app)
  const store = await ctx.open({ role: 'app' })
  await store.sessions.create({ ...keyOf(ctx), state: { own: 1, 'user:u': 1, 'app:a': 1 } })
  await store.events.append(
    keyOf(ctx),
    say('e1', 'x', { actions: { stateDelta: { own: 2, 'user:u': 2, 'app:a': 2 } } }),
  )
  await store.sessions.update(keyOf(ctx), { set: { more: 1 } })
  equal(
    (await store.sessions.get(keyOf(ctx), { events: 'all' }))?.state,
    { own: 2, more: 1, 'user:u': 2, 'app:a': 2 },
    'its own app',
  )
  await store.sessions.delete(await store.sessions.fork(keyOf(ctx)))
  equal(await store.sessions.get(foreign), undefined, 'get of another app')
  equal((await store.sessions.list({ appName: foreign.appName })).items, [], 'list of another app')
  equal(await store.state.get({ appName: foreign.appName }), undefined, 'state of another app')
  await nothingWritten(
    ctx,
    async () => {
      await rejects(
        () => store.events.append(foreign, say('e2')),
        ['not_found', 'unavailable'],
        'append to another app',
      )
      await rejects(
        () => store.sessions.create({ ...foreign, sessionId: 's2' }),
        'unavailable',
        'create in another app',
      )
      equal(await store.sessions.delete(foreign), false, 'delete in another app')
      equal((await store.erase(foreign)).sessions, 0, 'erase in another app')
    },
    'a role that is kept to another app',
    foreign.appName,
  )
  equal((await store.erase({ appName: ctx.app, userId: 'ann' })).sessions, 1, 'erase in its own app')
}

async function hugeInputEnds(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const long = 'a'.repeat(200_000)
  const calls: readonly (() => Promise<unknown>)[] = [
    () => ctx.store.sessions.list({ appName: ctx.app, cursor: long }),
    () => ctx.store.sessions.get(keyOf(ctx, long)),
    () => ctx.store.events.list(keyOf(ctx), { author: long }),
    () =>
      ctx.store.events.append(
        keyOf(ctx),
        say('e1', 'x', { actions: { stateUnset: Array.from({ length: 5000 }, (_, i) => `${'('.repeat(20)}${i}`) } }),
      ),
    () => ctx.store.sessions.update(keyOf(ctx), { set: { ['k'.repeat(100_000)]: 1 } }),
  ]
  // What comes of it does not matter; that it ends does.
  for (const [i, call] of calls.entries())
    await within(
      10_000,
      call().catch(() => {}),
      `a huge input ends in time (${i})`,
    )
}

async function logsAreRedacted(ctx: Ctx): Promise<void> {
  const lines: string[] = []
  const write = (facts: object, message: string) =>
    void lines.push(
      `${message} ${JSON.stringify(facts, (_key, value: unknown) => (value instanceof Error ? value.message : value))}`,
    )
  const store = await ctx.open({ logger: { debug: write, info: write, warn: write, error: write } })
  await store.sessions.create({ ...keyOf(ctx), state: { k: 'sentinel-state' } })
  await store.events.append(keyOf(ctx), say('e1', 'sentinel-event'))
  await rejects(() => store.events.append(keyOf(ctx), say('e1', 'sentinel-other')), 'conflict', 'another payload')
  await store.sessions.get(keyOf(ctx), { events: 'all' })
  const leaked = lines.filter((line) => line.includes('sentinel-'))
  equal(leaked, [], 'log lines that carry a payload')
}

export const SEC: Checks = [
  check('SEC-01', 'the injection corpus through every string argument is taken literally', literal),
  check('SEC-02', 'names in options are quoted, or refused where they cannot be', identifiersAreQuoted, {
    fresh: true,
    engine: 'whitebox',
    needs: ['oracle'],
  }),
  check('SEC-03', 'LIKE and regular expression characters are literal', patternsAreLiteral),
  check('SEC-04', 'a backslash is literal whatever the server takes it for', literal, {
    engine: 'whitebox',
    settings: 'hostile',
  }),
  check('SEC-05', '__proto__ and constructor are plain keys and pollute nothing', noPollution),
  check('SEC-06', 'a tenant cannot read another by any method', noReadAcross),
  check('SEC-07', 'nor update, delete, append, fork, erase, prune', noWriteAcross),
  check('SEC-08', 'cursors and event ids of others show nothing', async (ctx) => {
    for (const user of ['ann', 'eve']) {
      for (const id of ['s1', 's2', 's3']) await newSession(ctx, id, {}, user)
      await ctx.store.events.append(keyOf(ctx, 's1', user), [say(`${user}1`), say(`${user}2`)])
    }
    const cursor = present(
      (await ctx.store.sessions.list({ appName: ctx.app, userId: 'ann', limit: 1 })).nextCursor,
      'a cursor',
    )
    await rejects(
      () => ctx.store.sessions.list({ appName: ctx.app, userId: 'eve', limit: 1, cursor }),
      'invalid_cursor',
      'a cursor of another user',
    )
    const events = present((await ctx.store.events.list(keyOf(ctx), { limit: 1 })).nextCursor, 'a cursor of events')
    await rejects(
      () => ctx.store.events.list(keyOf(ctx, 's1', 'eve'), { limit: 1, cursor: events }),
      'invalid_cursor',
      'a cursor of another user’s events',
    )
    equal(await ctx.store.events.get(keyOf(ctx, 's1', 'eve'), 'ann1'), undefined, 'an event id of another user')
    holds(
      (await walkEvents(ctx.store, keyOf(ctx, 's1', 'eve'))).every(({ event }) => event.id.startsWith('eve')),
      'events of eve',
    )
  }),
  check('SEC-09', 'every statement carries the tenant or a key of its', statementsCarryTheTenant, {
    engine: 'whitebox',
    needs: ['oracle'],
  }),
  check(
    'SEC-10',
    'a role that the database keeps to one app works there, and sees and changes nothing beside',
    confinedRole,
    {
      fresh: true,
      engine: 'whitebox',
      needs: ['oracle'],
    },
  ),
  check('SEC-11', 'huge or regex-like input ends in time', hugeInputEnds, { budgetMs: 60_000 }),
  check('SEC-12', 'what is logged carries no payload', logsAreRedacted),
]
