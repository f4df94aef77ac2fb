import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, present, rejects } from '../expect.ts'
import {
  keyOf,
  loaded,
  newSession,
  nothingWritten,
  numbers,
  say,
  seqsOf,
  tickingClock,
  walkEvents,
  wrong,
} from '../fixtures.ts'

const in2247 = Date.UTC(2247, 5, 1)
const last = Date.UTC(9999, 11, 31, 23, 59, 59, 999)

/** Milliseconds whose fraction is a whole number of microseconds, written the way a division gives it. */
const micros = (ms: number, us: number) => (ms * 1000 + us) / 1000

const timesOf = async (ctx: Ctx) => (await walkEvents(ctx.other, keyOf(ctx))).map(({ event }) => event.timestamp)

async function roundTrip(ctx: Ctx, times: readonly number[], what: string): Promise<void> {
  await newSession(ctx)
  await ctx.store.events.append(
    keyOf(ctx),
    times.map((timestamp, i) => say(`e${i}`, 'x', { timestamp })),
  )
  equal(await timesOf(ctx), times, `${what} of events`)
  for (const [i, time] of times.entries()) {
    const store = await ctx.open({ now: () => time })
    const created = await store.sessions.create(keyOf(ctx, `t${i}`))
    const got = present(await ctx.other.sessions.get(created), 'the session')
    equal(
      [created.createdAt, got.createdAt, got.updatedAt, got.lastEventAt],
      [time, time, time, time],
      `${what} of a session created then`,
    )
    await store.events.append(created, say('e', 'x', { timestamp: time }))
    equal((await ctx.other.sessions.get(created))?.lastEventAt, time, `${what} as lastEventAt`)
    const scoped = await store.state.update({ appName: `${ctx.app}-${i}` }, { set: { a: 1 } })
    equal(
      [scoped.updatedAt, (await ctx.other.state.get({ appName: `${ctx.app}-${i}` }))?.updatedAt],
      [time, time],
      `${what} of app state`,
    )
  }
}

const zones = ['UTC', 'Asia/Kolkata', 'America/St_Johns', 'Pacific/Apia'] as const

/** The same writes and reads while the process believes in different zones. */
async function zonesDoNotMatter(ctx: Ctx, times: readonly number[]): Promise<void> {
  const { TZ } = process.env
  try {
    for (const [i, zone] of zones.entries()) {
      process.env['TZ'] = zone
      const session = await newSession(ctx, `z${i}`)
      await ctx.store.events.append(
        session,
        times.map((timestamp, n) => say(`e${n}`, 'x', { timestamp })),
      )
      for (const reader of zones) {
        process.env['TZ'] = reader
        const found = await walkEvents(ctx.other, session)
        equal(
          found.map(({ event }) => event.timestamp),
          times,
          `times written in ${zone} and read in ${reader}`,
        )
        equal(
          (await ctx.other.sessions.get(session))?.createdAt,
          session.createdAt,
          `createdAt written in ${zone} and read in ${reader}`,
        )
        equal(
          seqsOf((await ctx.other.events.list(session, { since: times[1] ?? 0 })).items),
          numbers(times.length - 1, 2),
          `since, read in ${reader}`,
        )
      }
    }
  } finally {
    if (TZ === undefined) delete process.env['TZ']
    else process.env['TZ'] = TZ
  }
}

const clockChanges = [
  Date.UTC(2024, 2, 31, 0, 59, 59, 999),
  Date.UTC(2024, 2, 31, 1),
  Date.UTC(2024, 2, 31, 2, 30),
  Date.UTC(2024, 9, 27, 0, 30),
  Date.UTC(2024, 9, 27, 1, 30),
  Date.UTC(2024, 10, 3, 6, 30),
]

async function clockMayRunBack(ctx: Ctx): Promise<void> {
  const clock = tickingClock(1_700_000_100_000)
  const store = await ctx.open({ now: clock.now })
  const created = await store.sessions.create({ ...keyOf(ctx), state: { 'app:a': 0 } })
  holds(
    created.createdAt >= 1_700_000_100_000 && created.createdAt < 1_700_000_101_000,
    'createdAt is by the injected clock',
    created.createdAt,
  )
  const seen = [created.updatedAt]
  const shared: number[] = []
  for (const time of [1_700_000_200_000, 1_700_000_150_000, 1_600_000_000_000, 1_700_000_300_000]) {
    clock.set(time)
    await store.events.append(created, { id: `e${time}`, actions: { stateDelta: { 'app:a': time } } })
    seen.push((await loaded(ctx)).updatedAt)
    clock.set(time)
    const { updatedAt } = await store.sessions.update(created, { set: { a: time } })
    seen.push(updatedAt)
    shared.push(present(await ctx.other.state.get({ appName: ctx.app }), 'app state').updatedAt)
  }
  holds(
    seen.every((time, i) => time >= (seen[i - 1] ?? 0)),
    'updatedAt never runs backwards',
    seen,
  )
  holds(
    shared.every((time, i) => time >= (shared[i - 1] ?? 0)),
    'updatedAt of app state never runs backwards',
    shared,
  )
  holds((seen.at(-1) ?? 0) >= 1_700_000_300_000, 'updatedAt follows the clock forward', seen)
  equal(seqsOf(await walkEvents(ctx.other, created)), numbers(4), 'order of events while the clock ran back')
}

async function boundaries(ctx: Ctx): Promise<void> {
  await newSession(ctx)
  const base = 1_700_000_000_000
  const times = [micros(base, 0), micros(base, 1), micros(base, 2)]
  await ctx.store.events.append(
    keyOf(ctx),
    times.map((timestamp, i) => say(`e${i}`, 'x', { timestamp })),
  )
  const middle = times[1] ?? 0
  const list = async (filter: { since?: number; after?: number }) =>
    seqsOf((await ctx.other.events.list(keyOf(ctx), filter)).items)
  equal(await list({ since: middle }), [2, 3], 'since is inclusive to the microsecond')
  equal(await list({ after: middle }), [3], 'after is exclusive to the microsecond')
  equal(await list({ since: micros(base, 3) }), [], 'since one microsecond later')
  equal(await list({ after: micros(base - 1, 999) }), [1, 2, 3], 'after one microsecond before')
}

export const TIM: Checks = [
  check('TIM-01', 'microseconds round-trip until 2248, milliseconds after', (ctx) =>
    roundTrip(
      ctx,
      [
        0,
        0.001,
        1.5,
        micros(1_700_000_000_123, 456),
        micros(1_700_000_000_999, 999),
        micros(in2247, 789),
        Date.UTC(2500, 0, 1) + 1,
        last,
      ],
      'times',
    ),
  ),
  check('TIM-02', 'equal times stay ordered by seq', async (ctx) => {
    await newSession(ctx)
    for (const i of numbers(5)) await ctx.store.events.append(keyOf(ctx), say(`e${6 - i}`, 'x', { timestamp: 1000 }))
    equal(
      (await walkEvents(ctx.other, keyOf(ctx), 2)).map(({ event }) => event.id),
      ['e5', 'e4', 'e3', 'e2', 'e1'],
      'events of one time',
    )
  }),
  check(
    'TIM-03',
    'the same result in every time zone of the process',
    (ctx) => zonesDoNotMatter(ctx, [1000.5, 1_700_000_000_000, 1_720_000_000_000.25]),
    { alone: true },
  ),
  check(
    'TIM-03',
    'the same result in every time zone of the server',
    (ctx) => zonesDoNotMatter(ctx, [1000.5, 1_700_000_000_000, 1_720_000_000_000.25]),
    { variant: 'server', engine: 'whitebox', settings: 'hostile', alone: true },
  ),
  check('TIM-04', 'the gap and the overlap of summer time', (ctx) => zonesDoNotMatter(ctx, clockChanges), {
    alone: true,
  }),
  check('TIM-05', '1970, 2038 and later, leap day, 9999 are fine; outside is invalid_argument', async (ctx) => {
    await roundTrip(
      ctx,
      [0, 2 ** 31 * 1000, 2 ** 32 * 1000, Date.UTC(2024, 1, 29), Date.UTC(2100, 0, 1), last],
      'times',
    )
    await nothingWritten(
      ctx,
      async () => {
        for (const timestamp of [-1, -0.001, last + 1, Infinity, NaN, wrong('2020-01-01'), wrong(new Date())]) {
          await rejects(
            () => ctx.store.events.append(keyOf(ctx), { timestamp }),
            'invalid_argument',
            `timestamp ${String(timestamp)}`,
          )
          await rejects(
            () => ctx.store.events.list(keyOf(ctx), { since: timestamp }),
            'invalid_argument',
            `since ${String(timestamp)}`,
          )
        }
      },
      'times outside',
    )
  }),
  check('TIM-06', 'filters are exact to the microsecond', boundaries),
  check(
    'TIM-07',
    'the injected clock is used; running backwards neither reorders nor moves updatedAt back',
    clockMayRunBack,
  ),
  check('TIM-08', 'nothing is rounded up on insert', async (ctx) => {
    await newSession(ctx)
    const times = [
      micros(1_700_000_000_999, 600),
      micros(1_699_999_999_999, 999),
      micros(Date.UTC(1999, 11, 31, 23, 59, 59, 999), 999),
    ]
    await ctx.store.events.append(
      keyOf(ctx),
      times.map((timestamp, i) => say(`e${i}`, 'x', { timestamp })),
    )
    equal(await timesOf(ctx), times, 'times just below a second')
  }),
  check('TIM-09', 'times come out as numbers', async (ctx) => {
    const created = await newSession(ctx, 's1', { 'app:a': 1 })
    await ctx.store.events.append(created, say('e1'))
    const [listed] = (await ctx.other.sessions.list({ appName: ctx.app })).items
    const shared = await ctx.other.state.get({ appName: ctx.app })
    const [event] = await walkEvents(ctx.other, created)
    for (const time of [
      created.createdAt,
      listed?.createdAt,
      listed?.updatedAt,
      listed?.lastEventAt,
      shared?.updatedAt,
      event?.event.timestamp,
    ])
      equal(typeof time, 'number', 'a time')
    holds(Math.abs((listed?.createdAt ?? 0) - Date.now()) < 600_000, 'createdAt is now, in UTC', listed?.createdAt)
  }),
]
