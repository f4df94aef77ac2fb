import type { FoundMemory, MemoryQuery, MemoryScope, NewMemory, Store } from '@daybook/core'
import { check, type CheckOptions, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, Inapplicable, rejects, within } from '../expect.ts'
import { keyOf, newSession, nothingWritten, numbers, say, walk } from '../fixtures.ts'
import { addedAgain, batchesAreBounded, eventsOnce, sessionReplaces, racingSessions, racingEntries } from './mem-add.ts'
import { deletesExactly, sessionsLeave, wordsGoToo } from './mem-delete.ts'
import {
  anyLengthCounts,
  closeOnesAreTold,
  comparesWithinBounds,
  likenessIsChecked,
  likenessIsExact,
  otherLengthsAreLeftOut,
} from './mem-likeness.ts'
import { agreesWithReference } from './mem-model.ts'
import { injections } from './sec.ts'

const memories: CheckOptions = { capability: 'memories' }
const search: CheckOptions = { capability: 'fullTextSearch' }

const ann = (ctx: Ctx): Required<MemoryScope> => ({ appName: ctx.app, userId: 'ann' })

/** The ids that a search finds, in its order. */
const foundBy = async (store: Store, query: MemoryQuery): Promise<string[]> =>
  (await store.memories.search(query)).items.map(({ id }) => id)

const text = (id: string, words: string, more: NewMemory = {}): NewMemory => ({
  id,
  text: words,
  timestamp: 1,
  ...more,
})

async function keptAsGiven(ctx: Ctx): Promise<void> {
  const memory = {
    id: 'm1',
    content: {
      role: 'user',
      parts: [{ text: 'I live in \0 Oslo' }, { inlineData: { data: 'AAA=' } }],
      extra: [null, 1.5],
    },
    author: 'ann',
    timestamp: 1_700_000_000_000.125,
    metadata: { kind: 'fact', deep: { a: [1] } },
    sessionId: 's1',
    eventId: 'e1',
  }
  equal(
    await ctx.store.memories.add(ann(ctx), memory),
    { items: [{ id: 'm1', outcome: 'added' }], removed: 0 },
    'what add answers',
  )
  const { createdAt, updatedAt, ...got } = (await ctx.other.memories.get(ann(ctx), 'm1')) ?? {
    createdAt: 0,
    updatedAt: -1,
  }
  equal(got, { ...ann(ctx), ...memory }, 'the memory by get')
  holds(createdAt === updatedAt && createdAt > 0, 'times of a new memory', [createdAt, updatedAt])
  if (ctx.store.capabilities.fullTextSearch === 'yes') {
    const { items } = await ctx.other.memories.search({ ...ann(ctx), query: 'oslo' })
    equal(items, [{ ...got, createdAt, updatedAt, score: 1 }], 'the memory by search')
  }
  equal((await ctx.other.memories.list(ann(ctx))).items, [{ ...got, createdAt, updatedAt }], 'the memory by list')
  equal(await ctx.store.memories.get(ann(ctx), 'm2'), undefined, 'get of what is missing')
  const [plain] = (await ctx.store.memories.add(ann(ctx), { text: 'plain' })).items
  holds(/^[\da-f]{8}-[\da-f]{4}-7/.test(plain?.id ?? ''), 'a default id is a UUIDv7', plain)
}

async function exactTerm(ctx: Ctx): Promise<void> {
  const call = { functionCall: { name: 'get_weather', args: { city: 'Bergen', days: [3] } } }
  const answer = { functionResponse: { name: 'get_weather', response: { sky: { tonight: 'drizzle' } } } }
  await ctx.store.memories.add(ann(ctx), [
    text('given', 'alpha beta'),
    { id: 'content', content: { parts: [{ text: 'gamma' }, { text: 'delta' }] }, timestamp: 1 },
    { id: 'both', text: 'epsilon', content: { parts: [{ text: 'zeta' }] }, timestamp: 1 },
    { id: 'string', content: 'eta', timestamp: 1 },
    { id: 'call', content: { parts: [call] }, timestamp: 1 },
    { id: 'answer', content: { parts: [answer] }, timestamp: 1 },
    { id: 'bytes', content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'theta' } }] }, timestamp: 1 },
  ])
  const finds = (query: string) => foundBy(ctx.other, { ...ann(ctx), query })
  equal(await finds('beta'), ['given'], 'a word of the text')
  equal(await finds('delta'), ['content'], 'a word of the second part')
  equal([await finds('epsilon'), await finds('zeta')], [['both'], []], 'a text that is given is what is searched')
  equal(await finds('eta'), ['string'], 'content that is a string')
  equal([await finds('bergen'), await finds('3')], [['call'], ['call']], 'arguments of a function call')
  equal(await finds('drizzle'), ['answer'], 'an answer of a function')
  equal(await finds('get_weather'), ['answer', 'call'], 'names of functions')
  equal(await finds('theta'), [], 'bytes are no text')
}

async function nothingFound(ctx: Ctx): Promise<void> {
  await ctx.store.memories.add(ann(ctx), text('m1', 'alpha'))
  for (const query of ['beta', '', '  ', '...', '_', '\0', '\ud800', 'alph', 'alphas'])
    equal(
      await ctx.other.memories.search({ ...ann(ctx), query }),
      { items: [] },
      `a search for ${JSON.stringify(query)}`,
    )
  equal(await foundBy(ctx.other, { ...ann(ctx), query: 'alpha', limit: 0 }), [], 'limit 0')
}

async function severalTerms(ctx: Ctx): Promise<void> {
  await ctx.store.memories.add(ann(ctx), [
    text('one', 'alpha x'),
    text('two', 'alpha beta'),
    text('all', 'the alpha and the beta are gamma'),
    text('none', 'delta'),
    text('many', 'alpha alpha alpha'),
  ])
  const { items } = await ctx.other.memories.search({ ...ann(ctx), query: 'Alpha, beta: gamma; alpha' })
  equal(
    items.map(({ id, score }) => [id, score]),
    [
      ['all', 1],
      ['two', 2 / 3],
      ['many', 1 / 3],
      ['one', 1 / 3],
    ],
    'any word fits, and the more of the query’s words the better',
  )
}

async function scoped(ctx: Ctx): Promise<void> {
  const elsewhere = `${ctx.app}-b`
  const scopes: readonly MemoryScope[] = [
    ann(ctx),
    { appName: ctx.app, userId: 'bob' },
    { appName: ctx.app, userId: 'ANN' },
    { appName: ctx.app, userId: 'ann ' },
    { appName: ctx.app },
    { appName: elsewhere, userId: 'ann' },
    { appName: elsewhere },
  ]
  for (const [i, scope] of scopes.entries())
    await ctx.store.memories.add(scope, [text('m1', `secret number ${i}`), text(`own${i}`, 'secret')])
  const seen = async (query: MemoryQuery) => (await ctx.other.memories.search(query)).items.map(nameOf)
  const query = 'secret'
  const mine = [`${ctx.app}/ann/m1`, `${ctx.app}/ann/own0`]
  const shared = [`${ctx.app}//m1`, `${ctx.app}//own4`]
  equal(await seen({ ...ann(ctx), query, scope: 'user' }), mine, 'the user’s alone')
  equal(
    await seen({ ...ann(ctx), query }),
    [shared[0], mine[0], mine[1], shared[1]],
    'the user’s and the app’s; of one id the app’s comes first',
  )
  equal(await seen({ appName: ctx.app, query }), shared, 'the app’s alone')
  equal(
    await seen({ appName: elsewhere, userId: 'eve', query }),
    [`${elsewhere}//m1`, `${elsewhere}//own6`],
    'a user without any',
  )
  equal(await seen({ appName: `${ctx.app}-c`, userId: 'ann', query }), [], 'an app without any')
  for (const [i, scope] of scopes.entries()) {
    equal((await ctx.other.memories.get(scope, 'm1'))?.text, `secret number ${i}`, `get of ${i}`)
    equal(
      (await ctx.other.memories.list(scope)).items.map(({ id }) => id),
      ['m1', `own${i}`],
      `list of ${i}`,
    )
    equal(await ctx.other.memories.get(scope, `own${(i + 1) % scopes.length}`), undefined, `get across ${i}`)
  }
  await rejects(
    () => ctx.store.memories.search({ appName: ctx.app, query, scope: 'user' }),
    'invalid_argument',
    'scope user without a user',
  )
  await rejects(
    () => ctx.store.memories.search({ appName: ctx.app, userId: '', query }),
    'invalid_argument',
    'an empty user',
  )
}

const nameOf = ({ appName, userId = '', id }: FoundMemory) => `${appName}/${userId}/${id}`

const signs = [
  '%',
  '_',
  '*',
  '"',
  '(',
  ')',
  '-',
  "'",
  '+',
  '~',
  '<',
  '>',
  '@',
  ':',
  '^',
  '\\',
  '&',
  '|',
  '!',
  '{',
  '}',
  '?',
  '/',
  ';',
  '#',
]

async function signsAreNothing(ctx: Ctx): Promise<void> {
  await ctx.store.memories.add(ann(ctx), [text('m1', 'alpha beta'), text('m2', '100% a_b c++ (d) "e" f-g')])
  for (const sign of signs) {
    const finds = (query: string) => foundBy(ctx.other, { ...ann(ctx), query })
    equal(await finds(sign), [], `${sign} alone finds nothing`)
    equal(await finds(`${sign}alpha${sign}`), ['m1'], `${sign} around a word`)
    if (sign !== '_') equal(await finds(`zz${sign}alpha`), ['m1'], `${sign} parts words`)
    equal(await finds(`al${sign}ha`), [], `${sign} is no wildcard`)
  }
  for (const [query, ids] of [
    ['100%', ['m2']],
    ['c++', ['m2']],
    ['"e"', ['m2']],
    ['-alpha', ['m1']],
    ['alpha AND NOT beta', ['m1']],
    ['alpha NEAR/2 gamma', ['m1']],
    ['text:alpha', ['m1']],
    ['alpha*', ['m1']],
  ] as const)
    equal(await foundBy(ctx.other, { ...ann(ctx), query }), ids, `a search for ${query}`)
}

async function wordsOfTheWorld(ctx: Ctx): Promise<void> {
  const said = {
    latin: 'Straße CAFÉ Ångström ﬁnally',
    japanese: '明日は東京で会いましょう。コーヒーをどうぞ',
    chinese: '我住在北京市朝阳区',
    korean: '서울에서 만나요',
    thai: 'ฉันชอบกินข้าวผัด',
    arabic: 'أعيش في القاهرة',
    hindi: 'मुझे दिल्ली पसंद है',
    russian: 'Я живу в Москве',
    greek: 'ΟΔΥΣΣΕΑΣ',
    emoji: 'I 💚 pizza 👍🏽 🇳🇴',
    code: 'call fooBar_baz(parseHTTPRequest) in utils.test.ts',
    short: 'C is 5k',
  }
  await ctx.store.memories.add(
    ann(ctx),
    Object.entries(said).map(([id, words]) => text(id, words)),
  )
  const expected: readonly (readonly [query: string, ids: readonly string[]])[] = [
    ['STRASSE', ['latin']],
    ['café', ['latin']],
    ['cafe\u0301', ['latin']],
    ['cafe', []],
    ['ångström', ['latin']],
    ['finally', ['latin']],
    ['東京', ['japanese']],
    ['京東', []],
    ['コーヒー', ['japanese']],
    ['ｺｰﾋｰ', ['japanese']],
    ['会', ['japanese']],
    ['北京', ['chinese']],
    ['京', ['chinese', 'japanese']],
    ['서울', ['korean']],
    ['ข้าว', ['thai']],
    ['القاهرة', ['arabic']],
    ['دلهي', []],
    ['दिल्ली', ['hindi']],
    ['दिल', []],
    ['москве', ['russian']],
    ['οδυσσεας', ['greek']],
    ['💚', ['emoji']],
    ['👍', ['emoji']],
    ['👍🏿', ['emoji']],
    ['🇳🇴', ['emoji']],
    ['🇸🇪', []],
    ['😀', []],
    ['fooBar_baz', ['code']],
    ['foobar', ['code']],
    ['baz', ['code']],
    ['http', ['code']],
    ['utils.test.ts', ['code']],
    ['c', ['short']],
    ['is', ['short']],
    ['5K', ['short']],
    ['i', ['emoji']],
  ]
  for (const [query, ids] of expected)
    equal(await foundBy(ctx.other, { ...ann(ctx), query }), ids, `a search for ${query}`)
}

/** An order of ids by code point that does not rest on UTF-8. */
const points = (id: string) => [...id].map((one) => (one.codePointAt(0) ?? 0).toString(16).padStart(6, '0')).join('')

async function limitAndOrder(ctx: Ctx): Promise<void> {
  const { memories: store } = ctx.store
  const entries = [
    ...numbers(25).map((i) => text(`m${String(i).padStart(2, '0')}`, 'alpha', { timestamp: 1000 + (i % 3) })),
    text('\uFFFD', 'alpha', { timestamp: 1001 }),
    text('😀', 'alpha', { timestamp: 1001 }),
    text('A', 'alpha', { timestamp: 1001 }),
    text('a', 'alpha beta', { timestamp: 5 }),
  ]
  await store.add(ann(ctx), entries)
  const ordered = entries
    .filter(({ id }) => id !== 'a')
    .toSorted((x, y) => (y.timestamp ?? 0) - (x.timestamp ?? 0) || (points(x.id ?? '') < points(y.id ?? '') ? -1 : 1))
    .map(({ id }) => id)
  const query = { ...ann(ctx), query: 'beta alpha' }
  equal(
    await foundBy(ctx.other, query),
    ['a', ...ordered.slice(0, 19)],
    'the default limit is 20, in the order of score, time and id',
  )
  equal(await foundBy(ctx.other, { ...query, limit: 1000 }), ['a', ...ordered], 'all')
  for (const limit of [1, 5])
    equal(await foundBy(ctx.other, { ...query, limit }), ['a', ...ordered].slice(0, limit), `limit ${limit}`)
  for (const limit of [-1, 1.5, 1001])
    await rejects(() => store.search({ ...query, limit }), 'invalid_argument', `limit ${limit}`)
  for (const direction of ['desc', 'asc'] as const) {
    const all = await walk(
      (cursor) =>
        ctx.other.memories.list({ ...ann(ctx), direction, limit: 4, ...(cursor !== undefined && { cursor }) }),
      'memories.list',
    )
    const sign = direction === 'asc' ? 1 : -1
    const expected = entries.toSorted(
      (x, y) => sign * ((x.timestamp ?? 0) - (y.timestamp ?? 0)) || (points(x.id ?? '') < points(y.id ?? '') ? -1 : 1),
    )
    equal(
      all.map(({ id }) => id),
      expected.map(({ id }) => id),
      `the list, ${direction}`,
    )
  }
  const { nextCursor = '' } = await store.list({ ...ann(ctx), limit: 1 })
  await rejects(
    () => store.list({ appName: ctx.app, userId: 'bob', cursor: nextCursor }),
    'invalid_cursor',
    'a cursor of another user',
  )
  equal(
    (await store.list({ ...ann(ctx), offset: 27 })).items.map(({ id }) => id),
    [ordered[27], 'a'],
    'offset',
  )
}

async function readAfterWrite(ctx: Ctx): Promise<void> {
  for (const i of numbers(10)) {
    await ctx.store.memories.add(ann(ctx), text(`m${i}`, `alpha n${i}`))
    equal(await foundBy(ctx.other, { ...ann(ctx), query: `n${i}` }), [`m${i}`], 'by the other open, at once')
    await ctx.other.memories.delete({ ...ann(ctx), id: `m${i}` })
    equal(await foundBy(ctx.store, { ...ann(ctx), query: 'alpha' }), [], 'and gone at once')
  }
}

async function injected(ctx: Ctx): Promise<void> {
  await ctx.store.memories.add(ann(ctx), text('kept', 'zebra'))
  await ctx.store.memories.add({ appName: ctx.app, userId: 'bob' }, text('foreign', 'zebra'))
  for (const [i, attack] of injections.entries()) {
    await ctx.store.memories.add(ann(ctx), text(`m${i}`, attack, { author: attack, metadata: { [attack]: attack } }))
    const found = await within(5000, foundBy(ctx.other, { ...ann(ctx), query: `${attack} zebra` }), 'a search ends')
    holds(found.includes('kept') && !found.includes('foreign'), `a search for ${attack}`, found)
    const memory = await ctx.other.memories.get(ann(ctx), `m${i}`)
    equal(
      [memory?.text, memory?.author, memory?.metadata],
      [attack, attack, { [attack]: attack }],
      `a memory of ${attack}`,
    )
    equal(await ctx.other.memories.get(ann(ctx), attack), undefined, `get of ${attack}`)
    equal((await ctx.store.memories.delete({ ...ann(ctx), sessionId: attack })).memories, 0, `delete of ${attack}`)
  }
  await within(10_000, foundBy(ctx.other, { ...ann(ctx), query: '('.repeat(50_000) }), 'a search of signs ends')
  const long = numbers(3000).map((i) => `w${i}`)
  equal(
    await foundBy(ctx.other, { ...ann(ctx), query: `zebra ${long.join(' ')}` }),
    ['kept'],
    'of a long query the first words count',
  )
}

async function inTransaction(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  if (ctx.store.capabilities.fullTextSearch === 'no') throw new Inapplicable('the ability has no method here')
  const stop = new Error('rolled back')
  await ctx.store.memories.add(ann(ctx), [text('old', 'alpha'), text('gone', 'alpha')])
  await nothingWritten(
    ctx,
    () =>
      transaction
        .run(ctx.store, async (joined) => {
          await joined.memories.add(ann(ctx), [text('new', 'alpha'), text('old', 'alpha beta')])
          await joined.memories.delete({ ...ann(ctx), id: 'gone' })
          equal(
            await foundBy(joined as Store, { ...ann(ctx), query: 'alpha beta' }), // only its memories are used
            ['old', 'new'],
            'inside, what the transaction itself wrote',
          )
          throw stop
        })
        .catch(() => {}),
    'a transaction that was rolled back',
  )
  equal(await foundBy(ctx.other, { ...ann(ctx), query: 'alpha beta' }), ['gone', 'old'], 'after the rollback')
  await transaction.run(ctx.store, async (joined) => {
    await joined.memories.add(ann(ctx), text('new', 'alpha'))
  })
  equal(await foundBy(ctx.other, { ...ann(ctx), query: 'alpha' }), ['gone', 'new', 'old'], 'after the commit')
}

const bad = (value: unknown) => value as NewMemory // what the types forbid is what is tried

async function badInput(ctx: Ctx): Promise<void> {
  const { memories: store } = ctx.store
  const long = 'x'.repeat(600)
  await newSession(ctx)
  await nothingWritten(
    ctx,
    async () => {
      for (const [entry, field] of [
        [{}, 'entries[1]'],
        [{ text: 1 }, 'entries[1].text'],
        [{ content: { a: Number.NaN } }, 'entries[1].content.a'],
        [{ text: 'x', timestamp: -1 }, 'entries[1].timestamp'],
        [{ text: 'x', id: '' }, 'entries[1].id'],
        [{ text: 'x', author: 5 }, 'entries[1].author'],
        [{ text: 'x', metadata: [] }, 'entries[1].metadata'],
        [{ text: 'x', words: [] }, 'entries[1].words'],
        [null, 'entries[1]'],
      ] as const)
        await rejects(
          () => store.add(ann(ctx), [{ text: 'fine' }, bad(entry)]),
          'invalid_argument',
          `an entry ${JSON.stringify(entry)}`,
          { field },
        )
      await rejects(
        () => store.add(ann(ctx), [{ text: 'fine' }, { text: 'x', id: long }]),
        'limit_exceeded',
        'a long id',
        { field: 'entries[1].id' },
      )
      await rejects(
        () => store.add(ann(ctx), { session: keyOf(ctx, 's1', 'bob') }),
        'invalid_argument',
        'a session of somebody else',
      )
      await rejects(
        () => store.add({ appName: ctx.app }, { session: keyOf(ctx) }),
        'invalid_argument',
        'a session for the app',
      )
      await rejects(() => store.add(ann(ctx), { session: keyOf(ctx, 'missing') }), 'not_found', 'a missing session')
      await rejects(() => store.add(ann(ctx), bad({ events: 'no' })), 'invalid_argument', 'events that are none')
      await rejects(
        () => store.add(ann(ctx), bad({ events: [say('e1'), { ...say('e2'), id: 7 }] })),
        'invalid_argument',
        'an event',
        { field: 'events[1].id' },
      )
      await rejects(() => store.delete(ann(ctx)), 'invalid_argument', 'a delete that names nothing')
      await rejects(
        () => store.delete({ ...ann(ctx), id: 'x', all: true }),
        'invalid_argument',
        'a delete of one and all',
      )
      await rejects(
        () => store.delete({ ...ann(ctx), everyScope: true, before: 5 }),
        'invalid_argument',
        'every scope of a user',
      )
      await rejects(() => store.search(ann(ctx)), 'invalid_argument', 'a search for nothing')
    },
    'refused calls',
  )
}

export const MEM: Checks = [
  check('MEM-01', 'a memory is found by each of its words, whatever it was given as', exactTerm, search),
  check('MEM-01', 'a memory comes back as it was given', keptAsGiven, { ...memories, variant: 'kept' }),
  check('MEM-02', 'nothing found is an empty answer', nothingFound, search),
  check('MEM-03', 'any word fits, and the score is the share of the query’s words', severalTerms, search),
  check('MEM-04', 'memories are found, read and listed in their own scope alone', scoped, search),
  check('MEM-05', 'signs part words, are no operators, and never an error', signsAreNothing, search),
  check('MEM-06', 'words of any script, emoji and identifiers, the same on every database', wordsOfTheWorld, search),
  check('MEM-07', 'the same again is a duplicate, and something else replaces it', addedAgain, memories),
  check('MEM-07', 'a session’s memories are those of its events', sessionReplaces, { ...memories, variant: 'session' }),
  check('MEM-07', 'the same event is remembered once', eventsOnce, { ...memories, variant: 'events' }),
  check('MEM-07', 'of racing adds of one entry one adds it', racingEntries, {
    ...memories,
    variant: 'race',
    engine: 'race',
    budgetMs: 60_000,
  }),
  check('MEM-07', 'racing adds of one session leave it whole and once', racingSessions, {
    ...memories,
    variant: 'session-race',
    engine: 'race',
    budgetMs: 60_000,
  }),
  check('MEM-08', 'by likeness: exact, with stable ties, and fused with words', likenessIsExact, {
    capability: 'vectorSearch',
  }),
  check('MEM-08', 'an embedding of another length, of no number or no direction is refused', likenessIsChecked, {
    capability: 'vectorSearch',
    variant: 'checked',
  }),
  check('MEM-08', 'by likeness: what a float of 32 bits cannot tell apart is in its order', closeOnesAreTold, {
    capability: 'vectorSearch',
    variant: 'close',
  }),
  check('MEM-08', 'by likeness: only the direction counts, however long or short', anyLengthCounts, {
    capability: 'vectorSearch',
    variant: 'length',
  }),
  check('MEM-08', 'embeddings of another number of dimensions are left out', otherLengthsAreLeftOut, {
    capability: 'vectorSearch',
    variant: 'dimensions',
  }),
  check(
    'MEM-08',
    'as many as limits.embeddingsCompared says are compared, and more are refused',
    comparesWithinBounds,
    {
      capability: 'vectorSearch',
      variant: 'bound',
    },
  ),
  check('MEM-09', 'limit, total order, and lists by pages', limitAndOrder, search),
  check('MEM-10', 'delete takes what it names, and nothing else', deletesExactly, memories),
  check('MEM-10', 'deleting a session leaves its memories; erase takes those of the user', sessionsLeave, {
    ...memories,
    variant: 'sources',
  }),
  check('MEM-10', 'what goes takes along what it was found by', wordsGoToo, {
    ...memories,
    variant: 'words',
    engine: 'whitebox',
    alone: true, // what is counted is of any app
    needs: ['oracle'],
  }),
  check('MEM-11', 'what was added is found at once, and what was deleted is not', readAfterWrite, search),
  check('MEM-12', 'text and queries are literal, whatever they look like', injected, search),
  check('MEM-13', 'random memories and queries agree with a reference that has no tokeniser', agreesWithReference, {
    ...search,
    engine: 'model',
    budgetMs: 120_000,
  }),
  check('MEM-14', 'inside the caller’s transaction its own memories are found; a rollback takes them', inTransaction, {
    capability: 'callerTransaction',
    needs: ['transaction'],
  }),
  check('MEM-15', 'bad input is refused before anything is written, naming the entry', badInput, memories),
  check('MEM-15', 'a batch is bounded, and at the bound it is kept', batchesAreBounded, {
    ...memories,
    variant: 'limits',
  }),
]
