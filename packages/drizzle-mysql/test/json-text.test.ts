import { createPool, type PoolOptions } from 'mysql2/promise'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { createMysqlStore } from '../src/index.ts'
import { drizzleOver, key, needsServer, newPlace } from './places.ts'

beforeEach(needsServer)

const pools: Readonly<Record<string, PoolOptions>> = {
  'answers JSON as text': { jsonStrings: true },
  'parses it': {},
  // The server tells no character set of a JSON column, and mysql2 reads it as latin1 here.
  'reads it by a typeCast of its own': {
    jsonStrings: true,
    typeCast: (field, next) => (field.type === 'JSON' ? field.string() : next()),
  },
}

test.each(Object.entries(pools))(
  'a list tells states as they are over a pool of the application that %s',
  async (_, given) => {
    const place = await newPlace()
    const pool = createPool({ uri: place.url, connectionLimit: 1, ...given })
    onTestFinished(() => pool.end())
    const store = await createMysqlStore(drizzleOver(pool))
    await store.migrate()
    const state = { text: 'ü語😀', 'ü語😀': 'a\ud800', nul: '\u0000', tiny: 5e-324, whole: 2 ** 53 }
    await store.sessions.create({ ...key, state })
    for (const query of [{}, { orderBy: 'createdAt' as const }]) {
      const { items } = await store.sessions.list({ appName: key.appName, userId: key.userId, state: true, ...query })
      expect(items.map((one) => one.state)).toEqual([state])
    }
  },
)
