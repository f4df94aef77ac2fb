import type { Ctx } from '../context.ts'
import { equal, holds, within } from '../expect.ts'
import { numbers } from '../fixtures.ts'
import { injections } from './sec-literal.ts'
import { ann, foundBy, text } from './mem-fixtures.ts'

export async function exactTerm(ctx: Ctx): Promise<void> {
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

export async function nothingFound(ctx: Ctx): Promise<void> {
  await ctx.store.memories.add(ann(ctx), text('m1', 'alpha'))
  for (const query of ['beta', '', '  ', '...', '_', '\0', '\ud800', 'alph', 'alphas'])
    equal(
      await ctx.other.memories.search({ ...ann(ctx), query }),
      { items: [] },
      `a search for ${JSON.stringify(query)}`,
    )
  equal(await foundBy(ctx.other, { ...ann(ctx), query: 'alpha', limit: 0 }), [], 'limit 0')
}

export async function severalTerms(ctx: Ctx): Promise<void> {
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

export async function signsAreNothing(ctx: Ctx): Promise<void> {
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

export async function wordsOfTheWorld(ctx: Ctx): Promise<void> {
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

export async function injected(ctx: Ctx): Promise<void> {
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
