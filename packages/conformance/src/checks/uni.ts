import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, succeeds } from '../expect.ts'
import { keyOf, loaded, newSession, say, sessionIdsOf, walkEvents, walkSessions } from '../fixtures.ts'
import { json } from '../model-commands.ts'
import { runProperty } from '../model.ts'

const scripts = [
  '😀',
  '👩‍👩‍👧‍👦',
  '🇳🇴',
  '𝔘𝔫𝔦',
  'שלום',
  'مرحبا',
  'e\u0301\u0323',
  '日本語',
  '\ufeffbom',
  'a\u200bb',
  '\u202eabc',
  'ﬁ',
  '\ud83d\ude00\ud83d\ude01',
]

/** Values go in and come out of every place that keeps text: events, and state of three scopes, set in both ways. */
async function roundTrips(ctx: Ctx, values: readonly unknown[], what: string): Promise<void> {
  await newSession(ctx, 's1', { born: [...values] })
  const delta = Object.fromEntries(
    values.flatMap((value, i) => [
      [`k${i}`, value],
      [`user:k${i}`, value],
      [`app:k${i}`, value],
    ]),
  )
  const event = say('e1', 'x', {
    content: { values: [...values] },
    customMetadata: { values: [...values] },
    actions: { stateDelta: delta },
  })
  await ctx.store.events.append(keyOf(ctx), event)
  const { state, events } = await loaded(ctx)
  equal(events[0]?.event, event, `${what} in an event`)
  equal(state, { born: [...values], ...delta }, `${what} in state`)
  const own = Object.fromEntries(values.map((value, i) => [`k${i}`, value]))
  await ctx.store.state.update({ appName: ctx.app }, { replace: own })
  equal((await ctx.other.state.get({ appName: ctx.app }))?.state, own, `${what} in app state, replaced`)
  equal((await walkEvents(ctx.other, keyOf(ctx)))[0]?.event, event, `${what} in events.list`)
}

/** Each text as a value, and as a key of state. */
async function textsEverywhere(ctx: Ctx, texts: readonly string[], what: string): Promise<void> {
  await roundTrips(ctx, texts, what)
  const key = keyOf(ctx, 'keys', 'bob')
  await newSession(ctx, 'keys', {}, 'bob')
  const delta = Object.fromEntries(texts.map((text, i) => [text, i]))
  await ctx.store.events.append(key, say('k', 'x', { actions: { stateDelta: delta } }))
  equal(await ctx.other.sessions.stateAt(key, 1), delta, `${what} as keys of state`)
}

/** Ids that sloppy databases take for one another stay apart in every method. */
async function idsStayApart(ctx: Ctx, pairs: readonly (readonly [string, string])[]): Promise<void> {
  for (const [i, pair] of pairs.entries()) {
    const user = `u${i}`
    for (const id of pair) {
      await succeeds(
        newSession(ctx, id, { own: id }, user),
        `create ${JSON.stringify(id)} beside ${JSON.stringify(pair)}`,
      )
      await ctx.store.events.append(keyOf(ctx, id, user), say('e1', id))
      await succeeds(
        ctx.store.events.append(keyOf(ctx, pair[0], user), say(`x${id}`, id)),
        `append x${id} beside ${JSON.stringify(pair)}`,
      )
    }
    const name = pair.map((id) => JSON.stringify(id)).join(' and ')
    equal(
      new Set(sessionIdsOf(await walkSessions(ctx.other, { appName: ctx.app, userId: user }))),
      new Set(pair),
      `sessions ${name}`,
    )
    for (const id of pair) {
      equal((await loaded(ctx, keyOf(ctx, id, user))).state['own'], id, `state of ${JSON.stringify(id)} beside ${name}`)
      equal(
        (await ctx.other.events.get(keyOf(ctx, pair[0], user), `x${id}`))?.event,
        say(`x${id}`, id),
        `event ids ${name}`,
      )
    }
    equal(await ctx.store.sessions.delete(keyOf(ctx, pair[0], user)), true, `delete ${JSON.stringify(pair[0])}`)
    equal(
      (await loaded(ctx, keyOf(ctx, pair[1], user))).state['own'],
      pair[1],
      `${JSON.stringify(pair[1])} after its twin was deleted`,
    )
    await newSession(ctx, `s${i}`, {}, pair[0])
    equal(await ctx.other.sessions.get(keyOf(ctx, `s${i}`, pair[1])), undefined, `users ${name}`)
  }
}

const deep = { a: [{ b: [[], {}, [null]] }], z: { y: { x: '' } } }

/** What settings of a server, a role or a session could read or write otherwise. */
async function settingsDoNotMatter(ctx: Ctx): Promise<void> {
  const texts = [...scripts, 'a\0b', '\ud800', '\\', "\\'", '\\n', '"', "''", 'NULL', '{}', "E'\\x41'", '\\x41', '||']
  await textsEverywhere(ctx, texts, 'texts')
  await idsStayApart(ctx, [
    ['a', 'A'],
    ['a', 'a '],
    ['\u00e9', 'e\u0301'],
    ['😀', '😁'],
    ['\\', '\\\\'],
    ["'", "''"],
  ])
  const values = [null, [], {}, '', 0, false, 0.1 + 0.2, 5e-324, Number.MAX_VALUE, 1e21, 123456789.12345678, -1.5]
  await newSession(ctx, 'values', { values }, 'bob')
  const key = keyOf(ctx, 'values', 'bob')
  // A column that is NULL is not one that says so.
  const events = [
    say('none'),
    say('said', 'x', { author: 'NULL', branch: 'NULL', errorCode: '' }),
    say('1', 'x', { content: { values } }),
  ]
  await ctx.store.events.append(key, events)
  const found = await loaded(ctx, key)
  equal(found.state['values'], values, 'numbers and empty values in state')
  equal(
    found.events.map(({ event }) => event),
    events,
    'numbers, NULL and empty values in events',
  )
  equal(
    (await ctx.other.events.list(key, { branch: 'NULL' })).items.map(({ event }) => event.id),
    ['said'],
    'events whose branch is the text NULL',
  )
}

export const UNI: Checks = [
  check('UNI-01', 'astral, joined emoji, right-to-left and combining text is byte-exact everywhere', (ctx) =>
    textsEverywhere(ctx, scripts, 'text'),
  ),
  check('UNI-02', 'NUL survives in events and state, and is stripped nowhere', (ctx) =>
    textsEverywhere(ctx, ['\0', 'a\0b', '\0\0', '\u0001', '\u0001\u0002', '\u0001\u0003'], 'NUL'),
  ),
  check('UNI-03', 'NFC and NFD are two texts', async (ctx) => {
    await textsEverywhere(ctx, ['\u00e9', 'e\u0301', '\u212b', '\u00c5', 'A\u030a'], 'normal forms')
    await idsStayApart(ctx, [
      ['\u00e9', 'e\u0301'],
      ['\u00c5', '\u212b'],
    ])
  }),
  check('UNI-04', 'lone surrogates survive in events and state', (ctx) =>
    textsEverywhere(ctx, ['\ud800', 'x\udfffy', '\udc00\ud800', '\ud7ff', '\ud7ff\ue000'], 'lone surrogates'),
  ),
  check('UNI-05', 'ids are compared by code point in get, list, delete and uniqueness', (ctx) =>
    idsStayApart(ctx, [
      ['i', 'ı'],
      ['k', '\u212a'],
      ['ss', 'SS'],
      ['ﬁ', 'fi'],
    ]),
  ),
  check('UNI-06', '😀≠😁, ß≠ss, a≠ａ, a≠a with a zero-width space', (ctx) =>
    idsStayApart(ctx, [
      ['😀', '😁'],
      ['ß', 'ss'],
      ['a', 'ａ'],
      ['a', 'a\u200b'],
    ]),
  ),
  check('UNI-07', 'A≠a', (ctx) =>
    idsStayApart(ctx, [
      ['a', 'A'],
      ['É', 'é'],
      ['SESSION', 'session'],
    ]),
  ),
  check('UNI-08', '`a`≠`a `', (ctx) =>
    idsStayApart(ctx, [
      ['a', 'a '],
      [' a', 'a'],
      ['a', 'a\t'],
      ['a', 'a\u00a0'],
    ]),
  ),
  check('UNI-09', 'objects are deep-equal, whatever their nesting', (ctx) =>
    roundTrips(ctx, [deep, [deep, [deep]], { [' ']: deep }], 'nested values'),
  ),
  check('UNI-10', 'null, [], {}, "", 0, false stay apart, at the top and nested', (ctx) => {
    const values = [null, [], {}, '', 0, false]
    return roundTrips(ctx, [...values, [...values], { values }, [[]], [{}], [''], [null]], 'empty values')
  }),
  check('UNI-11', 'doubles are exact; −0 reads 0', async (ctx) => {
    await roundTrips(
      ctx,
      [
        0.1 + 0.2,
        5e-324,
        Number.MAX_VALUE,
        -Number.MAX_VALUE,
        1e21,
        1e-7,
        1 / 3,
        123_456.789_012_345_67,
        0.1,
        3.141_592_653_589_793,
      ],
      'doubles',
    )
    await ctx.store.events.append(
      keyOf(ctx),
      say('zero', 'x', { content: { zero: -0 }, actions: { stateDelta: { zero: -0 } } }),
    )
    const { state } = await loaded(ctx)
    equal([state['zero'], (await ctx.other.events.get(keyOf(ctx), 'zero'))?.event.content], [0, { zero: 0 }], '−0')
  }),
  check('UNI-12', 'integers beyond 2^53 are never rounded silently', (ctx) =>
    roundTrips(
      ctx,
      [
        2 ** 53,
        2 ** 53 + 2,
        -(2 ** 53) - 2,
        9_007_199_254_740_991,
        12_345_678_901_234_567_000,
        2 ** 63,
        2 ** 64,
        1e300,
      ],
      'large integers',
    ),
  ),
  check('UNI-13', 'keys such as __proto__, constructor, "", a.b, $x and quotes', (ctx) => {
    const nested = Object.fromEntries(
      ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', '', 'a.b', '$x', '"', "'", '`', '0'].map(
        (key, i) => [key, { [key]: i }],
      ),
    )
    return roundTrips(ctx, [nested, [nested]], 'odd keys')
  }),
  check('UNI-14', 'strings that look like JSON, dates or numbers stay strings', (ctx) =>
    roundTrips(
      ctx,
      [
        '{"a":1}',
        '[]',
        '"x"',
        'null',
        'true',
        '1',
        '1e3',
        '007',
        '2020-01-01',
        '2020-01-01T00:00:00.000Z',
        '',
        '\\u0000',
        '\\',
        '\\"',
        '\n',
      ],
      'lookalikes',
    ),
  ),
  check(
    'UNI-15',
    'the stored value equals parse(stringify(x)) for all generated JSON',
    async (ctx) => {
      await newSession(ctx)
      let i = 0
      await runProperty(
        ctx,
        json,
        async (value) => {
          const id = `p${(i += 1)}`
          await ctx.store.events.append(
            keyOf(ctx),
            say(id, 'x', { content: value, actions: { stateDelta: { value } } }),
          )
          equal((await ctx.other.events.get(keyOf(ctx), id))?.event.content, value, 'a value in an event')
          equal((await ctx.other.sessions.get(keyOf(ctx)))?.state, { value }, 'a value in state')
        },
        60,
      )
    },
    { engine: 'model', budgetMs: 60_000 },
  ),
  check('UNI-16', 'charset, modes and formats of the server do not change results', settingsDoNotMatter, {
    engine: 'whitebox',
    settings: 'hostile',
  }),
]
