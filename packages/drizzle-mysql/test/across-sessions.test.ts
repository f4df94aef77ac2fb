import type { SentStatement } from '@daybook/conformance'
import { isStoreError } from '@daybook/core'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { openPatched } from './patched-store.ts'
import { needsServer, newPlace, openedStore } from './places.ts'

// Appends to different sessions go together. That nobody can tell by the answers is CON-17; here is what can be counted, and what
// one of them has that the others have not.

beforeEach(needsServer)

const keyOf = (i: number) => ({ appName: 'shop', userId: `u${i}`, sessionId: `s${i}` })
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)
const codeOf = (error: unknown) => (isStoreError(error) ? error.code : error)

/** Twelve sessions, whose users have a state, and the statements that the store sends. */
async function crowdedStore(options: { limits?: { stateBytes: number } } = {}) {
  const { url, pool } = await newPlace()
  const sent: SentStatement[] = []
  const store = await openPatched({
    url,
    connectionLimit: 10,
    onStatement: (statement) => sent.push(statement),
    ...options,
  })
  onTestFinished(() => store.close())
  await store.migrate()
  for (const i of numbers(12)) await store.sessions.create({ ...keyOf(i), state: { 'user:k': 0, gone: 1, a: 1 } })
  sent.length = 0
  return { store, pool, sent, alone: await openedStore(url, { groupCommit: false }) }
}

const event = (i: number, id = `e${i}`) => ({
  id,
  timestamp: 1,
  ...(i % 2 === 0 && { author: 'ann', branch: '', errorCode: 'a"b\\c' }),
  text: String.raw`{"\ud800 ${'"'}`,
  actions:
    i % 3 === 0
      ? {}
      : { stateDelta: { [`k"${i}`]: { i, s: '\u0000,"' }, ...(i % 3 === 1 && { 'user:k': i }) }, stateUnset: ['gone'] },
})

test('appends that come at once to many sessions are a few statements, and each is what it would be alone', async () => {
  const { store, alone, sent } = await crowdedStore()
  const each = (id: string) => numbers(12).map((i) => [keyOf(i), event(i, `${id}${i}`)] as const)
  const together = await Promise.all(each('a').map(([key, one]) => store.events.append(key, one)))
  expect(sent.filter(({ sameTrip }) => sameTrip !== true).length).toBeLessThan(24)
  expect(together).toEqual(
    numbers(12).map((i) => ({ events: [{ id: `a${i}`, seq: 1, duplicate: false }], revision: 2 })),
  )
  const after = await Promise.all(numbers(12).map((i) => store.sessions.get(keyOf(i), { events: 'all' })))
  for (const [key, one] of each('b')) await alone.events.append(key, one)
  for (const i of numbers(12)) {
    const [here, there] = [after[i], await store.sessions.get(keyOf(i), { events: 'all' })]
    expect(there?.state).toEqual(here?.state)
    expect(there?.events[1]?.event).toEqual({ ...here?.events[0]?.event, id: `b${i}` })
    const user = await store.state.get({ appName: 'shop', userId: `u${i}` })
    expect(user?.revision).toBe(i % 3 === 1 ? 3 : 1)
  }
})

test('of many at once, those that fail do so alone', async () => {
  const { store } = await crowdedStore({ limits: { stateBytes: 2000 } })
  await store.events.append(keyOf(4), { id: 'known', text: 'other' })
  await store.sessions.delete(keyOf(5))
  const lease = await store.sessions.lease(keyOf(6), { owner: 'somebody', ttl: 60_000 })
  await store.events.append(keyOf(7), { id: 'fills', actions: { stateDelta: { text: 'x'.repeat(1900) } } })
  const large = { id: 'large', actions: { stateDelta: { more: 'x'.repeat(200) } } }
  const outcomes = await Promise.all(
    numbers(12).map((i) =>
      store.events
        .append(keyOf(i), i === 7 ? large : event(i, i === 4 ? 'known' : `e${i}`))
        .then(({ events: [{ seq } = { seq: 0 }] }) => seq, codeOf),
    ),
  )
  await lease.release()
  expect(outcomes).toEqual([1, 1, 1, 1, 'conflict', 'not_found', 'conflict', 'limit_exceeded', 1, 1, 1, 1])
})

test('one whose row somebody holds waits for it alone', async () => {
  const { store, pool } = await crowdedStore()
  const holder = await pool.getConnection()
  await holder.query('start transaction')
  await holder.query(
    `select * from daybook_sessions where app_name = 'shop' and user_id = 'u7' and session_id = 's7' for update`,
  )
  const appends = numbers(12).map((i) => store.events.append(keyOf(i), event(i)))
  await Promise.all(appends.filter((_, i) => i !== 7))
  await holder.query('commit')
  holder.release()
  expect(await appends[7]).toMatchObject({ revision: 2 })
})
