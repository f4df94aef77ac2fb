import { beforeEach, expect, test } from 'vitest'
import { backend, needsServer, newPlace, openedStore } from './places.ts'
import { collations } from '../src/schema.ts'

beforeEach(needsServer)

const sentences = (warnings: readonly string[]) => warnings.map((warning) => warning.replace(/;.*/, ''))

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

test('a deep look names what was changed: types, collations, rights to be empty, generated columns and indexes', async () => {
  const place = await newPlace()
  const store = await openedStore(place.url)
  await store.migrate()
  const exact = `character set utf8mb4 collate ${collations[backend]}`
  const alter = (statement: string) => place.pool.query(`alter table ${statement}`)
  await alter('daybook_sessions modify revision int not null, modify last_seq bigint')
  await alter('daybook_sessions modify initial_state text character set utf8mb4 not null')
  await alter('daybook_sessions modify lease_owner varchar(64) character set latin1')
  await alter('daybook_sessions drop column lease_until, add column lease_until bigint as (lease_fence + 1)')
  await alter('daybook_sessions drop index daybook_sessions_recent, drop index daybook_sessions_created')
  await alter('daybook_sessions add index daybook_sessions_recent (app_name, last_event_at desc, user_id)')
  await alter('daybook_sessions drop index daybook_sessions_key')
  await alter('daybook_sessions add index daybook_sessions_key (app_name, user_id, session_id)')
  await alter('daybook_events modify author text character set utf8mb4 collate utf8mb4_unicode_ci')
  await alter('daybook_events modify payload json not null, add column mine text, add column theirs int not null')
  await alter('daybook_user_states modify state longtext character set utf8mb4 not null')
  const { ok, warnings } = await store.health({ deep: true })
  expect(ok).toBe(false)
  const desc = backend === 'mysql' ? ' desc' : ''
  expect(sentences(warnings).toSorted()).toEqual(
    [
      'the column daybook_sessions.revision is int not null, and the migrations made it bigint not null',
      'the column daybook_sessions.last_seq is bigint, and the migrations made it bigint not null',
      'the column daybook_sessions.initial_state is text not null, and the migrations made it longtext not null',
      `the column daybook_sessions.lease_owner is varchar(64) character set latin1 collate latin1_swedish_ci, and the migrations made it varchar(191) ${exact}`,
      'the column daybook_sessions.lease_until is bigint generated, and the migrations made it bigint',
      `the index daybook_sessions_recent of daybook_sessions is (app_name, last_event_at${desc}, user_id), and the migrations made it (app_name, user_id, last_event_at${desc}, session_id)`,
      'the index daybook_sessions_created of daybook_sessions is missing',
      'the index daybook_sessions_key of daybook_sessions is (app_name, user_id, session_id), and the migrations made it unique (app_name, user_id, session_id)',
      `the column daybook_events.author is text character set utf8mb4 collate utf8mb4_unicode_ci, and the migrations made it text ${exact}`,
      'the column daybook_events.payload is json not null, and the migrations made it longtext not null',
      "the column daybook_events.theirs is not the store's and has to have a value, which the store cannot give it",
      'the column daybook_user_states.state is longtext not null, and the migrations made it json not null',
    ].toSorted(),
  )
})

test('a deep look names a column that lost what numbers the sessions', async () => {
  const place = await newPlace()
  const store = await openedStore(place.url, { foreignKeys: false })
  await store.migrate()
  await place.pool.query('alter table daybook_sessions modify sid bigint not null')
  const { ok, warnings } = await store.health({ deep: true })
  expect([ok, warnings]).toEqual([
    false,
    [
      'the column daybook_sessions.sid is bigint without auto_increment not null, and the migrations made it bigint not null',
    ],
  ])
})

test('a deep look names an index of a path that is gone, and a column that no server fills', async () => {
  const place = await newPlace()
  const store = await openedStore(place.url)
  await store.migrate()
  for (const [path, type] of [
    ['region', 'string'],
    ['size', 'number'],
    ['isOpen', 'boolean'],
  ] as const)
    await store.indexStatePath([path], type)
  expect(await store.health({ deep: true })).toMatchObject({ ok: true, warnings: [] })
  const rows = await place.rows(
    `select column_name as name, data_type as type from information_schema.columns where table_schema = database() and column_name like '%\\_p\\_%'`,
  )
  const nameOf = (type: string) => String(rows.find((row) => row['type'] === type)?.['name'])
  const text = nameOf('varchar')
  const plain = nameOf('double')
  const gone = nameOf('tinyint')
  await place.pool.query(`alter table daybook_sessions drop index ${text}`)
  await place.pool.query(`alter table daybook_sessions drop index ${plain}, drop column ${plain}`)
  await place.pool.query(
    `alter table daybook_sessions add column ${plain} double, add index ${plain} (app_name, ${plain})`,
  )
  await place.pool.query(`alter table daybook_sessions drop index ${gone}, drop column ${gone}`)
  const { ok, warnings } = await store.health({ deep: true })
  expect(ok).toBe(false)
  expect(sentences(warnings).toSorted()).toEqual(
    [
      `the column daybook_sessions.${gone} is missing, and the index of the path ["isOpen"] for values of type boolean made it tinyint generated`,
      `the column daybook_sessions.${plain} is double, and the index of the path ["size"] for values of type number made it double generated`,
      `the index of the path ["isOpen"] for values of type boolean, ${gone}, is missing`,
      `the index of the path ["region"] for values of type string, ${text}, is missing`,
    ].toSorted(),
  )
})
