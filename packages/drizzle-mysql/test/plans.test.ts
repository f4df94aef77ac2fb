import type { SentStatement } from '@daybook/conformance'
import type { Store } from '@daybook/core'
import type { RowDataPacket } from 'mysql2/promise'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { key, needsServer, newPlace, type Place } from './places.ts'
import { openPatched } from './patched-store.ts'

beforeEach(needsServer)

/** 300 users with a session each, and ann with 300; every session of hers with some events. */
async function filled() {
  const place = await newPlace()
  const sent: SentStatement[] = []
  const store = await openPatched({
    url: place.url,
    connectionLimit: 4,
    onStatement: (statement) => sent.push(statement),
  })
  onTestFinished(() => store.close())
  await store.migrate()
  const numbers = 'with recursive n as (select 1 as i union all select i + 1 from n where i < 300)'
  const values = `'{}', '{}', 1, 3, i * 1000, i * 1000, i * 1000`
  const columns =
    'app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at'
  await place.pool.query(
    `insert into daybook_sessions (${columns}) ${numbers} select 'shop', concat('u', i), 's1', ${values} from n`,
  )
  await place.pool.query(
    `insert into daybook_sessions (${columns}) ${numbers} select 'shop', 'ann', concat('s', i), ${values} from n`,
  )
  await place.pool.query(
    `insert into daybook_events (sid, seq, event_id, timestamp, payload)
      select sid, e.seq, concat('e', e.seq), 0, json_object('id', concat('e', e.seq), 'timestamp', 0)
      from daybook_sessions join (select 1 as seq union all select 2 union all select 3) as e`,
  )
  await place.pool.query('analyze table daybook_sessions, daybook_events')
  await store.sessions.get(key)
  return { place, sent, store }
}

/** How the server goes about what the work reads: the key that each table is walked by, and whether it sorts. */
async function plansOf({ pool }: Place, sent: SentStatement[], work: () => Promise<unknown>) {
  sent.length = 0
  await work()
  const reads = sent.filter(({ text }) => /^\s*select/i.test(text) && text.includes('daybook_'))
  const plans: { keys: string[]; sorts: boolean; carriesBodies: boolean }[] = []
  for (const { text, values } of reads) {
    const [rows] = await pool.query<RowDataPacket[]>(`explain /*!80019 format=traditional */ ${text}`, [...values])
    plans.push({
      keys: rows.filter((row) => String(row['table']).startsWith('daybook_')).map((row) => String(row['key'])),
      sorts: rows.some((row) => String(row['Extra']).includes('filesort')),
      carriesBodies: text.includes('payload') || text.includes('`state`'),
    })
  }
  expect(plans).not.toEqual([])
  return plans
}

describe('what an agent waits for walks the index that was made for it, and sorts no rows with a body', () => {
  const reads: Readonly<Record<string, { work: (store: Store) => Promise<unknown>; keys: readonly string[] }>> = {
    'a session': { work: (store) => store.sessions.get(key), keys: ['daybook_sessions_key'] },
    'a session with its newest events': {
      work: (store) => store.sessions.get(key, { events: { last: 2 } }),
      keys: ['daybook_sessions_key', 'PRIMARY'],
    },
    'a page of events': {
      work: (store) => store.events.list(key, { limit: 2 }),
      keys: ['daybook_sessions_key', 'PRIMARY'],
    },
    'an event by its id': {
      work: (store) => store.events.get(key, 'e2'),
      keys: ['daybook_sessions_key', 'daybook_events_id'],
    },
    'a list of a user’s sessions, newest first': {
      work: (store) => store.sessions.list({ appName: 'shop', userId: 'ann', limit: 10 }),
      keys: ['daybook_sessions_recent'],
    },
  }

  test('each of them', async () => {
    const { place, sent, store } = await filled()
    for (const [name, { work, keys }] of Object.entries(reads)) {
      for (const plan of await plansOf(place, sent, () => work(store))) {
        const walked = new Set(plan.keys)
        expect({
          name,
          walked: keys.filter((one) => walked.has(one)),
          sorts: plan.sorts && plan.carriesBodies,
        }).toEqual({
          name,
          walked: keys,
          sorts: false,
        })
      }
    }
  }, 30_000)
})

test('events and states that no sort buffer holds are read in every way', async () => {
  const { store } = await filled()
  const content = 'x'.repeat(600_000)
  await store.sessions.create({ ...key, sessionId: 'large', state: { content } })
  const session = { ...key, sessionId: 'large' }
  for (const id of ['a', 'b', 'c']) await store.events.append(session, { id, author: id, content })
  expect((await store.sessions.get(session, { events: { last: 2 } }))?.events.map(({ event }) => event.id)).toEqual([
    'b',
    'c',
  ])
  expect((await store.sessions.get(session, { events: 'all' }))?.events).toHaveLength(3)
  expect((await store.events.list(session, { direction: 'desc' })).items.map(({ seq }) => seq)).toEqual([3, 2, 1])
  expect((await store.events.list(session, { author: 'b' })).items).toHaveLength(1)
  expect((await store.events.list(session, { last: 1 })).items.map(({ seq }) => seq)).toEqual([3])
  for (const orderBy of ['lastEventAt', 'createdAt', 'updatedAt'] as const) {
    const { items } = await store.sessions.list({ appName: 'shop', userId: 'ann', orderBy, state: true, limit: 1000 })
    expect(items).toHaveLength(301)
  }
  let listed = 0
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const start = cursor === undefined ? {} : { cursor }
    const page = await store.sessions.list({ appName: 'shop', userId: 'ann', state: true, limit: 120, ...start })
    listed += page.items.length
    cursor = page.nextCursor
  }
  expect(listed).toBe(301)
}, 30_000)
