import type { AddedMemories, MemoryScope } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects } from '../expect.ts'
import { keyOf, newSession, nothingWritten, numbers, say, tickingClock, walk } from '../fixtures.ts'
import { isValue, rounds, together } from '../race.ts'

const ann = (ctx: Ctx): MemoryScope => ({ appName: ctx.app, userId: 'ann' })

const outcomes = ({ items }: AddedMemories) => items.map(({ id, outcome }) => `${id} ${outcome}`)

const all = (ctx: Ctx, sessionId?: string) =>
  walk(
    (cursor) =>
      ctx.other.memories.list({
        ...ann(ctx),
        direction: 'asc',
        ...(sessionId !== undefined && { sessionId }),
        ...(cursor !== undefined && { cursor }),
      }),
    'memories.list',
  )

export async function addedAgain(ctx: Ctx): Promise<void> {
  const clock = tickingClock(1_700_000_000_000)
  const { memories } = await ctx.open({ now: clock.now })
  const first = { id: 'm1', content: { a: 1, b: [2] }, text: 'alpha', metadata: { x: 1, y: 2 } }
  equal(outcomes(await memories.add(ann(ctx), first)), ['m1 added'], 'the first time')
  const before = present(await ctx.other.memories.get(ann(ctx), 'm1'), 'the memory')
  const again = { metadata: { y: 2, x: 1 }, text: 'alpha', content: { b: [2], a: 1 }, id: 'm1' }
  await nothingWritten(
    ctx,
    async () => equal(outcomes(await memories.add(ann(ctx), again)), ['m1 duplicate'], 'the same again'),
    'the same again',
  )
  equal(outcomes(await memories.add(ann(ctx), { id: 'm1', text: 'beta' })), ['m1 replaced'], 'something else')
  const after = present(await ctx.other.memories.get(ann(ctx), 'm1'), 'the memory')
  equal([after.text, after.content, after.metadata], ['beta', undefined, undefined], 'it takes the place')
  equal(after.createdAt, before.createdAt, 'createdAt stays')
  holds(after.updatedAt > before.updatedAt, 'updatedAt moves', [before.updatedAt, after.updatedAt])
  const finds = async (query: string) => (await ctx.other.memories.search({ ...ann(ctx), query })).items.length
  if (ctx.store.capabilities.fullTextSearch === 'yes')
    equal([await finds('alpha'), await finds('beta')], [0, 1], 'found by what it says now, and by nothing else')
  const mixed = [
    { id: 'm1', text: 'beta' },
    { id: 'm2', text: 'x' },
    { id: 'm2', text: 'x' },
    { id: 'm2', text: 'y' },
  ]
  equal(
    outcomes(await memories.add(ann(ctx), mixed)),
    ['m1 duplicate', 'm2 added', 'm2 duplicate', 'm2 replaced'],
    'a batch of all kinds',
  )
  equal((await ctx.other.memories.get(ann(ctx), 'm2'))?.text, 'y', 'the last of a batch')
  equal(
    outcomes(await memories.add({ appName: ctx.app }, { id: 'm1', text: 'beta' })),
    ['m1 added'],
    'in another scope',
  )
  equal((await memories.add(ann(ctx), [])).items, [], 'an empty batch')
  const alike = [{}, [], { a: 1 }, [['a', 1]], [[['a', 1]]], { members: [['a', 1]] }, null, 0, '']
  for (const args of alike)
    equal(
      outcomes(await memories.add(ann(ctx), { id: 'm3', content: { args } })),
      [`m3 ${args === alike[0] ? 'added' : 'replaced'}`],
      `${JSON.stringify(args)} is none of the values before it`,
    )
  const plain = await memories.add(ann(ctx), [{ text: 'same' }, { text: 'same' }])
  equal(
    [plain.items.map(({ outcome }) => outcome), new Set(plain.items.map(({ id }) => id)).size],
    [['added', 'added'], 2],
    'entries without an id are never the same',
  )
}

export async function sessionReplaces(ctx: Ctx): Promise<void> {
  const { memories, events } = ctx.store
  const session = await newSession(ctx)
  await newSession(ctx, 's2')
  await newSession(ctx, 's1', {}, 'bob')
  const empty = [say('e3', 'x', { content: undefined }), say('e4', 'x', { content: { parts: [] } })]
  await events.append(session, [
    say('e1', 'alpha'),
    say('e2', 'beta', { author: 'agent', timestamp: 1_700_000_000_001 }),
    ...empty,
  ])
  await events.append(keyOf(ctx, 's2'), say('e1', 'gamma'))
  const first = await memories.add(session, { session, metadata: { from: 'test' } })
  equal(
    first.items.map(({ outcome }) => outcome),
    ['added', 'added'],
    'events with parts',
  )
  const [one, two, ...more] = await all(ctx)
  equal(more, [], 'no more than those')
  equal(
    [one?.eventId, one?.sessionId, one?.author, one?.content, one?.metadata, two?.author, two?.timestamp],
    ['e1', 's1', 'user', { parts: [{ text: 'alpha' }] }, { from: 'test' }, 'agent', 1_700_000_000_001],
    'what is remembered of an event',
  )
  const same = await memories.add(session, { session, metadata: { from: 'test' } })
  equal(
    [same.items.map(({ outcome }) => outcome), same.removed],
    [['duplicate', 'duplicate'], 0],
    'the same session again',
  )
  await memories.add(session, [
    { id: 'hand', text: 'by hand', sessionId: 's1' },
    { id: 'free', text: 'free' },
  ])
  await memories.add(session, { session: keyOf(ctx, 's2') })
  await events.append(session, [say('e1', 'alpha two')], { onDuplicate: 'replace' })
  await events.append(session, [say('e2', 'x', { content: { parts: [] } })], { onDuplicate: 'replace' })
  const next = await memories.add(session, { session, metadata: { from: 'test' } })
  equal([next.items.map(({ outcome }) => outcome), next.removed], [['replaced'], 2], 'after its events changed')
  equal(
    (await all(ctx))
      .map(({ id, sessionId, eventId }) => (sessionId === undefined ? id : `${sessionId}/${eventId ?? id}`))
      .toSorted(),
    ['free', 's1/e1', 's2/e1'],
    'the memories of that session are those of its events; the others are left alone',
  )
  const long = await newSession(ctx, 'long')
  await events.append(
    long,
    numbers(450).map((i) => say(`e${i}`, `word${i}`)),
  )
  equal((await memories.add(long, { session: long })).items.length, 450, 'a long session')
  equal((await all(ctx, 'long')).length, 450, 'all of it')
}

export async function eventsOnce(ctx: Ctx): Promise<void> {
  const { memories } = ctx.store
  const events = [say('e1', 'alpha'), say('e2', 'beta'), say('e3', 'x', { content: undefined })]
  const added = await memories.add(ann(ctx), { events, sessionId: 's1', metadata: { a: 1 } })
  equal(
    added.items.map(({ outcome }) => outcome),
    ['added', 'added'],
    'events with parts',
  )
  const again = await memories.add(ann(ctx), {
    events: [...events, say('e4', 'delta')],
    sessionId: 's1',
    metadata: { a: 1 },
  })
  equal(
    again.items.map(({ outcome }) => outcome),
    ['duplicate', 'duplicate', 'added'],
    'the same events and another one',
  )
  equal(
    again.items.slice(0, 2).map(({ id }) => id),
    added.items.map(({ id }) => id),
    'the id of an event is always the same',
  )
  const elsewhere = await memories.add(ann(ctx), { events: [say('e1', 'alpha')], sessionId: 's2' })
  const nowhere = await memories.add(ann(ctx), { events: [say('e1', 'alpha')] })
  equal(
    [elsewhere, nowhere].map(({ items }) => items[0]?.outcome),
    ['added', 'added'],
    'an event of that id of another session, and of none',
  )
  const { id: _id, ...anonymous } = say('x', 'alpha')
  for (const turn of ['first', 'second'])
    equal(
      (await memories.add(ann(ctx), { events: [anonymous], sessionId: 's1' })).items[0]?.outcome,
      'added',
      `an event without id, the ${turn} time`,
    )
  await newSession(ctx)
  await ctx.store.events.append(keyOf(ctx), [say('e1', 'alpha'), say('e2', 'other')])
  const whole = await memories.add(ann(ctx), { session: keyOf(ctx), metadata: { a: 1 } })
  equal(
    [whole.items.map(({ outcome }) => outcome), whole.removed],
    [['duplicate', 'replaced'], 3],
    'the session of those events',
  )
}

const texts = (count: number, length: number) => numbers(count).map((i) => ({ id: `m${i}`, text: 'x'.repeat(length) }))

export async function batchesAreBounded(ctx: Ctx): Promise<void> {
  const { memories } = await ctx.open({ limits: { batchEvents: 3, eventBytes: 200, batchBytes: 500 } })
  await memories.add(ann(ctx), texts(3, 100))
  equal((await all(ctx)).length, 3, 'a batch at its bound')
  await memories.add(ann(ctx), texts(1, 189))
  equal((await ctx.other.memories.get(ann(ctx), 'm1'))?.text?.length, 189, 'an entry at its bound')
  await nothingWritten(
    ctx,
    async () => {
      await rejects(() => memories.add(ann(ctx), texts(4, 1)), 'limit_exceeded', 'a batch of too many', {
        field: 'entries',
        limit: 3,
        actual: 4,
      })
      await rejects(() => memories.add(ann(ctx), texts(1, 190)), 'limit_exceeded', 'an entry too long', {
        field: 'entries[0]',
        limit: 200,
        actual: 201,
      })
      await rejects(() => memories.add(ann(ctx), texts(3, 180)), 'limit_exceeded', 'a batch too long', {
        field: 'entries',
        limit: 500,
      })
      const author = 'x'.repeat(190)
      await rejects(() => memories.add(ann(ctx), { text: '', author }), 'limit_exceeded', 'an author counts', {
        field: 'entry',
        actual: 201,
      })
      await rejects(
        () => memories.add(ann(ctx), { events: [say('e1', 'x'.repeat(100))], metadata: { a: 'x'.repeat(100) } }),
        'limit_exceeded',
        'the metadata of events counts',
        { field: 'events[0]', limit: 200 },
      )
    },
    'a batch over its bounds',
  )
  const session = await newSession(ctx)
  await ctx.store.events.append(session, say('e1', 'x'.repeat(100)))
  await nothingWritten(
    ctx,
    () =>
      rejects(
        () => memories.add(ann(ctx), { session, metadata: { a: 'x'.repeat(100) } }),
        'limit_exceeded',
        'the metadata of a session counts',
        { field: 'source.session', limit: 200 },
      ),
    'a session whose entry is over the bound',
  )
  await authorsAreBounded(ctx)
}

/** By what every database holds, with the default limits. */
async function authorsAreBounded({ app, store, other }: Ctx): Promise<void> {
  const scope = { appName: app, userId: 'authors' }
  const most = 'é'.repeat(32_767) // two bytes each
  for (const [id, source] of [
    ['entry', { text: 'x', author: `${most}éx` }],
    ['events', { events: [say('e1', 'x', { author: `${most}éx` })] }],
  ] as const)
    await rejects(() => store.memories.add(scope, source), 'limit_exceeded', `an author that is too long, by ${id}`, {
      field: id === 'entry' ? 'entry.author' : 'events[0].author',
      limit: 65_535,
      actual: 65_537,
    })
  await store.memories.add(scope, { id: 'm1', text: 'x', author: `${most}x` })
  equal((await other.memories.get(scope, 'm1'))?.author, `${most}x`, 'an author at its bound')
}

const batch = (word: string) => numbers(5).map((i) => ({ id: `m${i}`, text: i === 3 ? word : `same${i}` }))

export async function racingEntries(ctx: Ctx): Promise<void> {
  await rounds(ctx, async ({ index, store, other }) => {
    const scope = { appName: ctx.app, userId: `u${index}` }
    const outcome = await together([
      () => store.memories.add(scope, batch('left')),
      () => other.memories.add(scope, batch('right').toReversed()),
    ])
    const answers = outcome.map((one) => (isValue(one) ? one.value.items : []))
    equal(
      answers.map((items) => items.length),
      [5, 5],
      'both adds succeed',
    )
    for (const i of numbers(5)) {
      const said = answers.map((items) => items.find(({ id }) => id === `m${i}`)?.outcome ?? '').toSorted()
      equal(said, i === 3 ? ['added', 'replaced'] : ['added', 'duplicate'], `m${i}: one of two adds it`)
    }
    const { items } = await ctx.other.memories.list(scope)
    equal(items.length, 5, 'each is there once')
    if (ctx.store.capabilities.fullTextSearch === 'no') return
    const third = items.find(({ id }) => id === 'm3')?.text ?? ''
    const found = (await other.memories.search({ ...scope, query: 'left right same1' })).items
    equal(found.map(({ id }) => id).toSorted(), ['m1', 'm3'], 'words are those of what is there')
    equal((await other.memories.search({ ...scope, query: third })).items.length, 1, 'the one that stayed is found')
  })
}

export async function racingSessions(ctx: Ctx): Promise<void> {
  await rounds(ctx, async ({ key, store, other }) => {
    await store.sessions.create(key)
    await store.events.append(
      key,
      numbers(4).map((i) => say(`e${i}`, `word${i}`)),
    )
    const sides = [
      () => store.memories.add(key, { session: key }),
      () => other.memories.add(key, { session: key }),
      () => other.events.append(key, say('e5', 'word5')),
      () => store.memories.add(key, { session: key }),
    ]
    const done = await together<unknown>(sides)
    equal(
      done.filter((one) => !isValue(one)),
      [],
      'all succeed',
    )
    const { items } = await ctx.other.memories.list({ ...ann(ctx), sessionId: key.sessionId })
    const ids = items.map(({ eventId = '' }) => eventId).toSorted()
    holds(ids.join() === 'e1,e2,e3,e4' || ids.join() === 'e1,e2,e3,e4,e5', 'each event is remembered once', ids)
  })
}
