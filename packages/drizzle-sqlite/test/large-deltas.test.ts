import type { Scope, Store } from '@daybook/core'
import { createSqliteStore, openSqliteStore } from '@daybook/drizzle-sqlite'
import { createClient } from '@libsql/client'
import { drizzle } from 'drizzle-orm/libsql'
import { describe, expect, test } from 'vitest'
import { createFile } from './drivers.ts'
import { key, newPath } from './places.ts'

// A delta becomes calls of json_set and json_remove inside each other, and libSQL's parser has only so much room for them.

const prefixes: Record<Scope, string> = { session: '', user: 'user:', app: 'app:' }
const sizes = [1, 60, 61, 300, 500, 600, 601, 700, 1_400, 2_000, 5_000]

const valued = (keys: readonly string[], value: unknown) => Object.fromEntries(keys.map((name) => [name, value]))

/** A first append of as many keys, and a second that sets some and unsets others. */
async function stateAfter(store: Store, prefix: string, size: number): Promise<unknown> {
  const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `${prefix}k"${from + i}`)
  const half = Math.ceil(size / 2)
  await store.migrate()
  const session = await store.sessions.create(key)
  await store.events.append(session, { id: 'set', actions: { stateDelta: valued(names(0, size), 1) } })
  const { state, revision } = await store.events.append(
    session,
    {
      id: 'both',
      actions: { stateDelta: valued(names(half, half + size), { two: 2 }), stateUnset: names(0, half) },
    },
    { eventsAfterSeq: 0 },
  )
  const loaded = await store.sessions.get(session, { events: 'all' })
  return { state, revision, loaded: loaded?.state, events: loaded?.events?.map(({ event }) => event.id) }
}

describe.each(['file', ':memory:'])('@libsql/client over %s', (place) => {
  describe.each(Object.entries(prefixes))('a delta of the %s’s state', (_scope, prefix) => {
    test.for(sizes)('with %i keys does what it does elsewhere', async (size) => {
      const path = newPath()
      if (place === 'file') await createFile('libsql-client', path)
      const client = createClient({ url: place === 'file' ? `file:${path}` : place })
      await using native = await openSqliteStore({ url: ':memory:' })
      const store = await createSqliteStore(drizzle({ client }))
      expect(await stateAfter(store, prefix, size)).toEqual(await stateAfter(native, prefix, size))
      client.close()
    })
  })
})
