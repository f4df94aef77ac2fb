import type { Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import type { StorageFault } from '../define.ts'
import { equal, holds, present, rejects, Unproven, within } from '../expect.ts'
import { keyOf, newSession, numbers, say, walkEvents } from '../fixtures.ts'
import { nameOf } from './flt-line.ts'

/** A disk that fails: the code says so, what was there stays readable, and the same store goes on once it is mended. */
export async function storageFails(ctx: Ctx, fault: StorageFault): Promise<void> {
  const trouble = ctx.need('storage')[fault]
  if (trouble === undefined) throw new Unproven('no storage hook', fault)
  await ctx.store.migrate()
  await newSession(ctx, 's1', { own: 1 })
  await ctx.store.events.append(keyOf(ctx), say('before'))
  const failing = await trouble()
  const { store } = failing
  try {
    await writesFail(ctx, store, fault)
    await failing.mend()
    const { events } = await store.events.append(keyOf(ctx), say('after'))
    equal(events[0]?.seq, 2, `${fault}, then mended: an append`)
    const ids = (await walkEvents(ctx.other, keyOf(ctx))).map(({ event }) => event.id)
    equal(ids, ['before', 'after'], `${fault}, then mended: what is there`)
    if (store.capabilities.artifacts === 'no') return
    const { version } = await store.artifacts.save({ ...keyOf(ctx), name: 'stream' }, inParts())
    equal(version, 0, `${fault}, then mended: the first version of a file`)
  } finally {
    await within(5000, store.close(), `${fault}: close()`)
  }
}

async function writesFail(ctx: Ctx, store: Store, fault: StorageFault): Promise<void> {
  const key = keyOf(ctx)
  const large = 'x'.repeat(200_000)
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    [
      'append',
      () =>
        store.events.append(
          key,
          numbers(8).map((i) => say(`large${i}`, large)),
        ),
    ],
    ['create', () => store.sessions.create({ ...keyOf(ctx, 's2'), state: { large } })],
    ['update', () => store.sessions.update(key, { set: { large } })],
    ...(store.capabilities.artifacts === 'yes'
      ? ([
          ['save', () => store.artifacts.save({ ...key, name: 'whole' }, new Uint8Array(1_600_000).fill(120))],
          ['save of a stream', () => store.artifacts.save({ ...key, name: 'stream' }, inParts())],
        ] as const)
      : []),
  ]
  for (const [name, call] of calls) {
    const what = `${name}, ${fault}`
    const error = await within(20_000, rejects(call, 'unavailable', what), what)
    holds(error.cause instanceof Error, `${what}: the cause is the driver’s error`, error.cause)
    holds(!error.message.includes('xxxx'), `${what}: no payload in the message`, nameOf(error))
  }
  const seen = present(await store.sessions.get(key, { events: 'all' }), `a read, ${fault}`)
  equal([seen.state, seen.lastSeq, seen.revision], [{ own: 1 }, 1, 2], `${fault}: what was there, and nothing else`)
  equal(await store.sessions.get(keyOf(ctx, 's2')), undefined, `${fault}: a session that could not be written`)
  if (store.capabilities.artifacts === 'no') return
  equal((await store.artifacts.list(key)).items, [], `${fault}: files that could not be written`)
}

/** Longer than what is written in one transaction. */
async function* inParts(): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < 8; i += 1) yield new Uint8Array(300_000).fill(120)
}

/** What is no database, or no longer one, is `corrupt`: at its opening, or at the first call. */
export async function damaged(ctx: Ctx): Promise<void> {
  const openDamaged = ctx.need('openDamaged')
  const use = async () => {
    const store = await openDamaged()
    try {
      await store.sessions.get(keyOf(ctx))
    } finally {
      await store.close()
    }
  }
  const error = await within(10_000, rejects(use, 'corrupt', 'a damaged database'), 'a damaged database')
  equal(error.retryable, false, 'retryable of corrupt')
}
