import type { Ctx } from '../context.ts'
import { equal, holds, present } from '../expect.ts'
import { keyOf, newSession, say } from '../fixtures.ts'
import { observed, withoutControl, type Observed } from '../whitebox.ts'
import { bigApp, hotCalls, artifactCalls, type Call } from './prf-big-app.ts'

/** Statements of a method, those around a transaction left out. */
const countOf = async ({ store, during }: Observed, call: Call): Promise<number> =>
  withoutControl(await during(() => call(store))).length

/** As many statements among 10,000 as among a few, and for a page one. */
export async function fewStatementsForFiles(ctx: Ctx): Promise<void> {
  const big = await bigApp(ctx)
  const open = await observed(ctx)
  const small = { long: keyOf(ctx, 's1', 'ann') }
  await newSession(ctx)
  for (const name of ['a77', 'many']) await ctx.store.artifacts.save({ ...small.long, name }, new Uint8Array())
  const [onSmall, onBig] = [artifactCalls(small), artifactCalls(big)]
  for (const [name, call] of Object.entries(onSmall)) {
    const isOfVersion = name.endsWith('of a version')
    const few = await countOf(open, call)
    const many = await countOf(open, present(onBig[name], name))
    holds(isOfVersion ? many <= few + 3 : many === few, `${name}: statements on 10,000 as on one`, [few, many])
    if (/versions|list/.test(name)) equal(many, 1, `${name}: statements for a page`)
    holds(many <= 8, `${name}: statements are few`, many)
  }
}

export async function constantStatements(ctx: Ctx): Promise<void> {
  const big = await bigApp(ctx)
  const open = await observed(ctx)
  const small = { appName: ctx.app, long: keyOf(ctx, 's1', 'ann') }
  await newSession(ctx, 's1', { a: 0, 'user:a': 0, 'app:a': 0 })
  await ctx.store.events.append(keyOf(ctx), say('e7'))
  // The rows of every scope are there on both sides, so that no first time differs.
  await open.store.events.append(big.long, {
    id: 'warm',
    actions: { stateDelta: { a: 0, 'user:a': 0, 'app:a': 0 } },
  })
  const [onSmall, onBig] = [hotCalls(small, 'counted'), hotCalls(big, 'counted')]
  for (const [name, call] of Object.entries(onSmall)) {
    const few = await countOf(open, call)
    const many = await countOf(open, present(onBig[name], name))
    equal(many, few, `${name}: statements on 10,000 events and 40,000 sessions, as on one`)
    if (name.startsWith('sessions.list') || name.startsWith('events.list'))
      equal(many, 1, `${name}: statements for a page`)
    holds(many <= 12, `${name}: statements are few`, many)
  }
}

export async function preparedIsBounded(ctx: Ctx): Promise<void> {
  const { store, during } = await observed(ctx)
  await newSession(ctx)
  const round = async (i: number) => {
    const text = `text ${i}`
    await store.events.append(keyOf(ctx), say(`e${i}`, text, { actions: { stateDelta: { k: text, 'user:k': i } } }))
    await store.sessions.get(keyOf(ctx), { events: { last: (i % 9) + 1 } })
    await store.events.list(keyOf(ctx), { afterSeq: i, author: text, limit: (i % 90) + 1 })
    await store.sessions.list({ appName: ctx.app, userId: text, limit: (i % 90) + 1 })
    await store.state.update({ appName: ctx.app }, { set: { k: text } })
  }
  const textsOf = async (from: number, to: number) => {
    const sent = await during(async () => {
      for (let i = from; i < to; i += 1) await round(i)
    })
    return new Set(sent.map(({ text }) => text))
  }
  const known = await textsOf(0, 5)
  const later = await textsOf(5, 60)
  equal(
    [...later].filter((text) => !known.has(text)),
    [],
    'statements whose text depends on a value',
  )
}
