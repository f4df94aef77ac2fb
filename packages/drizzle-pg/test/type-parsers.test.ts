import { PGlite } from '@electric-sql/pglite'
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { drizzle as drizzlePglite } from 'drizzle-orm/pglite'
import { drizzle } from 'drizzle-orm/postgres-js'
import { types } from 'pg'
import postgres from 'postgres'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { createPgStore, type PgDatabase } from '../src/index.ts'
import { client, newSchema, nodePool } from './places.ts'
import { needsServer, serverUrl } from './server.ts'

beforeEach(needsServer)

/** The application's own, for its columns of `char(n)`. */
const bpchar = types.builtins.BPCHAR
const isYes = (text: string) => text === 'Y'

/** Its types do not know of it. */
const inBinary = { max: 2, binary: true }

const openers: Record<string, () => PgDatabase> = {
  'node-postgres, for all pools': () => {
    const before = types.getTypeParser(bpchar)
    types.setTypeParser(bpchar, isYes)
    onTestFinished(() => types.setTypeParser(bpchar, before))
    return drizzleNode({ client: nodePool() })
  },
  'node-postgres, which asks for the binary form': () => drizzleNode({ client: nodePool(inBinary) }),
  'postgres.js': () => {
    const own = { bpchar: { to: bpchar, from: [bpchar], serialize: String, parse: isYes } }
    const sql = postgres(serverUrl, { max: 2, onnotice: () => {}, types: own })
    onTestFinished(() => sql.end({ timeout: 1 }))
    return drizzle({ client: sql })
  },
  'postgres.js, which hands over what nobody may change': () =>
    drizzle({ client: client({ transform: { row: { from: Object.freeze } } }) }),
  PGlite: () => {
    const pglite = new PGlite({ parsers: { [bpchar]: isYes } })
    onTestFinished(() => pglite.close())
    return drizzlePglite({ client: pglite })
  },
}

test.for(Object.entries(openers))('ids and documents are the store’s own over %s', async ([, open]) => {
  const store = await createPgStore(open(), { schema: newSchema() })
  await store.migrate()
  for (const id of ['ann ', '{"id":"e1","timestamp":1}', '{}', 'a=b', '=']) {
    const key = { appName: id, userId: id, sessionId: id }
    const state = { text: ' {"a":1} ', nul: '\0', [id]: 1 }
    const event = { id, author: id, timestamp: 1, content: { parts: [{ text: '\ud800 ' }] } }
    const plain = { id: `${id}2`, timestamp: 1, actions: { stateDelta: { 'user:plain': [1.5, ' '] } } }
    await store.sessions.create({ ...key, state })
    await store.events.append(key, [event, plain])
    const merged = { ...state, 'user:plain': [1.5, ' '] }
    const events = [
      { seq: 1, event },
      { seq: 2, event: plain },
    ]
    const expected = { ...key, state: merged, events }
    expect(await store.sessions.get(key, { events: 'all' })).toMatchObject(expected)
    await store.transaction(async (_tx, within) => {
      expect(await within.sessions.get(key, { events: 'all' })).toMatchObject(expected)
    })
    const { items } = await store.sessions.list({ appName: id, userId: id, state: true })
    expect(items).toMatchObject([{ ...key, state: merged }])
  }
})
