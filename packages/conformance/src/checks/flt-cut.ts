import type { Ctx } from '../context.ts'
import { equal, holds, present, Unproven } from '../expect.ts'
import { numbers } from '../fixtures.ts'
import {
  append,
  artifactWrites,
  batchOf,
  createSession,
  repeatSave,
  saveWithoutId,
  update,
  writes,
  type Write,
} from './flt-writes.ts'
import { failureOf, freshKey, hit, nameOf, onLine, rehearse, repeats, some, statementAt } from './flt-line.ts'

/** Statements before the commit, lost or left without their answer. What the engine repeats is there once. */
export const cutBeforeCommit = (ctx: Ctx): Promise<void> => cutBefore(ctx, someWrites(ctx))

export const cutBefore = (ctx: Ctx, chosen: readonly Write[]): Promise<void> =>
  onLine(ctx, async (line) => {
    let tried = 0
    for (const write of chosen) {
      const rehearsed = await rehearse(ctx, line, write)
      // A commit before the last one is of an earlier unit: FLT-02 is about those.
      const statements = numbers(rehearsed.commit, 0).filter((i) => rehearsed.phases[i] !== 'commit')
      for (const after of some(ctx, statements, 2)) {
        const damage = ctx.random() < 0.5 ? 'lost' : 'unanswered'
        const end = ctx.random() < 0.5 ? 'FIN' : 'RST'
        const one = await hit(ctx, line, write, rehearsed, { after, damage, end })
        tried += 1
        if (one.error === undefined) equal(one.found, 'all', `${one.what}: it succeeded`)
        else {
          equal([one.error.code, one.error.retryable], ['unavailable', true], `${one.what}: ${nameOf(one.error)}`)
          equal(one.found, 'nothing', `${one.what}: after ${nameOf(one.error)}`)
        }
        await repeats(ctx, line, write, rehearsed, one)
      }
    }
    if (tried === 0) throw new Unproven('no wire', 'no method sends anything before its commit')
  })

/** Where a lost transaction takes seconds to end, a few stand for all. */
const someWrites = (ctx: Ctx): readonly Write[] =>
  ctx.place.keepsLost === undefined ? writes : [createSession, append, ...some(ctx, writes.slice(2), 1)]

/** The connection is lost in every attempt: the bound is reached, and the code says so. */
export const cutEachTime = (ctx: Ctx): Promise<void> =>
  onLine(ctx, async (line) => {
    for (const write of [update, ...some(ctx, writes, 1)]) {
      const rehearsed = await rehearse(ctx, line, write)
      const [first] = rehearsed.phases
      if (first === undefined || first === 'commit') continue // one statement: its outcome is unknown
      const one = await hit(ctx, line, write, rehearsed, { at: first, times: Infinity, damage: 'lost' })
      const error = present(one.error, `${one.what}, each time: it fails`)
      equal([error.code, error.retryable], ['unavailable', true], `${one.what}, each time: ${nameOf(error)}`)
      equal(one.found, 'nothing', `${one.what}, each time`)
      await repeats(ctx, line, write, rehearsed, one)
    }
  })

const ways = [
  { damage: 'lost', end: 'RST' },
  { damage: 'unanswered', end: 'FIN' },
  { damage: 'lost', end: 'FIN' },
  { damage: 'unanswered', end: 'RST' },
] as const

/** COMMIT lost, and its reply: the same error, two truths, one safe repetition. */
export const cutInCommit = (ctx: Ctx): Promise<void> => cutIn(ctx, someWrites(ctx))

export const cutIn = (ctx: Ctx, written: readonly Write[]): Promise<void> =>
  onLine(ctx, async (line) => {
    for (const [turn, write] of written.entries()) {
      const rehearsed = await rehearse(ctx, line, write)
      const chosen = ctx.budget.name === 'cert' ? ways : ways.slice((turn % 2) * 2, (turn % 2) * 2 + 2)
      for (const { damage, end } of chosen) {
        const one = await hit(ctx, line, write, rehearsed, { ...statementAt(rehearsed, rehearsed.commit), damage, end })
        const error = present(one.error, `${one.what}: nobody can know that it succeeded`)
        equal([error.code, error.retryable], ['outcome_unknown', true], `${one.what}: ${nameOf(error)}`)
        equal(one.found, damage === 'lost' ? 'nothing' : 'all', `${one.what}: what is there`)
        await repeats(ctx, line, write, rehearsed, one)
      }
    }
  })

/** What is left of files is nothing, or a version as a whole; and an unknown save names the id by which it can be repeated. */
export async function filesAreCut(ctx: Ctx): Promise<void> {
  await cutBefore(ctx, artifactWrites)
  await cutIn(ctx, artifactWrites)
  await onLine(ctx, async (line) => {
    const rehearsed = await rehearse(ctx, line, saveWithoutId)
    for (const damage of ['lost', 'unanswered'] as const) {
      const one = await hit(ctx, line, saveWithoutId, rehearsed, {
        ...statementAt(rehearsed, rehearsed.commit),
        damage,
      })
      const { key, what } = one
      const error = present(one.error, `${what}: it fails`)
      equal(error.code, 'outcome_unknown', `${what}: ${nameOf(error)}`)
      const saveId = present(error.facts.saveId, `${what}: the error names it`)
      const saved = await repeatSave(line.store, key, saveId)
      equal([saved.version, saved.duplicate], [0, damage === 'unanswered'], `${what}, repeated by it`)
      equal(await saveWithoutId.look(ctx.other, key), rehearsed.after, `${what}: it is there exactly once`)
    }
  })
}

/** The ids that the store made up are in the error, so that the repetition can name them. */
export const unknownNamesIds = (ctx: Ctx): Promise<void> =>
  onLine(ctx, async ({ proxy, store }) => {
    for (const damage of ['lost', 'unanswered'] as const) {
      const { appName, userId } = freshKey(ctx)
      proxy.inject({ at: 'commit', damage })
      const create = present(
        await failureOf(store.sessions.create({ appName, userId }), `create without an id, COMMIT ${damage}`),
        `create without an id, COMMIT ${damage}: it fails`,
      )
      const sessionId = present(create.facts.sessionId, `the error names the session's id: ${nameOf(create)}`)
      await failureOf(store.sessions.create({ appName, userId, sessionId }), 'create again')
      equal((await ctx.other.sessions.list({ appName })).items.length, 1, `sessions after create, COMMIT ${damage}`)

      const key = { appName, userId, sessionId }
      proxy.inject({ at: 'commit', damage })
      const events = [{ author: 'a' }, { author: 'b' }]
      const error = present(
        await failureOf(store.events.append(key, events), `append without ids, COMMIT ${damage}`),
        `append without ids, COMMIT ${damage}: it fails`,
      )
      const ids = present(error.facts.eventIds, `the error names the ids of the events: ${nameOf(error)}`)
      equal(ids.length, 2, 'ids in the error')
      const named = events.map((event, i) => ({ ...event, id: ids[i] ?? '' }))
      const { revision } = await store.events.append(key, named)
      equal([revision, (await ctx.other.events.list(key)).items.length], [2, 2], `events, COMMIT ${damage}`)
    }
  })

/** Half of what is sent arrives. */
export const cutInMidst = (ctx: Ctx): Promise<void> =>
  onLine(ctx, async (line) => {
    for (const write of [batchOf(40), append, createSession]) {
      const rehearsed = await rehearse(ctx, line, write)
      const statements = some(ctx, numbers(rehearsed.commit, 0), 3)
      for (const [turn, after] of [...statements, rehearsed.commit].entries()) {
        const phase = rehearsed.phases[after]
        const one = await hit(ctx, line, write, rehearsed, {
          ...statementAt(rehearsed, after),
          damage: 'torn',
          end: turn % 2 === 0 ? 'RST' : 'FIN',
        })
        if (one.error === undefined) equal(one.found, 'all', `${one.what}: it succeeded`)
        else {
          const expected = phase === 'commit' ? 'outcome_unknown' : 'unavailable'
          equal(one.error.code, expected, `${one.what}: ${nameOf(one.error)}`)
          equal(one.found, 'nothing', `${one.what}: half a statement is none`)
        }
        await repeats(ctx, line, write, rehearsed, one)
      }
    }
  })

/** An error in a transaction, and then a connection that is lost: at its ROLLBACK, in its reply, or before it was sent. */
export const cutInRollback = (ctx: Ctx): Promise<void> =>
  onLine(ctx, async ({ proxy, store }) => {
    ctx.need('wire')
    const key = freshKey(ctx)
    await ctx.store.sessions.create({ ...key, state: { own: 1 } })
    const failing = [
      ['conflict', () => store.sessions.update(key, { set: { a: 1 } }, { expectedRevision: 7 })],
      ['conflict', () => store.events.append(key, { id: 'e' }, { expectedRevision: 7 })],
      ['already_exists', () => store.sessions.create(key)],
      ['not_found', () => store.sessions.fork({ ...key, sessionId: 'none' })],
    ] as const
    for (const [code, call] of failing) {
      const phases = await proxy.trace(() => failureOf(call(), code))
      const last = phases.findLastIndex((phase) => phase !== 'rollback')
      for (const fault of [
        { at: 'rollback', damage: 'lost' },
        { at: 'rollback', damage: 'unanswered' },
        { after: last, damage: 'left' },
        { after: last, damage: 'left', end: 'FIN' },
      ] as const) {
        proxy.inject(fault)
        const what = `${code}, ${fault.at ?? 'the connection before the rollback'} ${fault.damage}`
        const error = await failureOf(call(), what)
        equal(error?.code, code, `the first error, ${what}: ${nameOf(error)}`)
        await proxy.mend()
        equal((await store.sessions.get(key))?.revision, 1, `the next call, ${what}`)
      }
    }
    holds((await store.sessions.list({ appName: key.appName })).items.length === 1, 'nothing was written')
  })
