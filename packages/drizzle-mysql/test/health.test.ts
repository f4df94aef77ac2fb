import { beforeEach, expect, test } from 'vitest'
import { needsServer, newPlace, openedStore } from './places.ts'

beforeEach(needsServer)

test('a deep look shows what matters, and names what is missing', async () => {
  const place = await newPlace()
  const store = await openedStore(place.url, { connectionLimit: 3 })
  await store.migrate()
  const health = await store.health({ deep: true })
  expect(health).toMatchObject({
    ok: true,
    warnings: [],
    pool: { size: 3, inUse: 0, idle: expect.any(Number) as number, waiting: 0 },
    settings: {
      floor: health.flavour === 'mysql' ? '8.0.19' : '10.6.0',
      transaction_isolation: expect.stringMatching(/^(READ|REPEATABLE|SERIALIZABLE)/) as string,
      time_zone: '+00:00',
      innodb_flush_log_at_trx_commit: '1',
      collation_connection: expect.stringMatching(/_bin$/) as string,
    },
  })
  await place.pool.query('alter table daybook_sessions drop index daybook_sessions_recent')
  expect((await store.health({ deep: true })).warnings.join()).toContain('daybook_sessions_recent')
})
