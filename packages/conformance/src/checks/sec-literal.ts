import type { Ctx } from '../context.ts'
import { equal, present, rejects, within } from '../expect.ts'
import { keyOf, loaded, newSession, say, sessionIdsOf, walkSessions } from '../fixtures.ts'

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

export async function literal(ctx: Ctx): Promise<void> {
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

export async function patternsAreLiteral(ctx: Ctx): Promise<void> {
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

export async function noPollution(ctx: Ctx): Promise<void> {
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

export async function hugeInputEnds(ctx: Ctx): Promise<void> {
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
