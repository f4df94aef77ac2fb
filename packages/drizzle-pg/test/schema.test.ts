import { generateDrizzleJson, generateMigration } from 'drizzle-kit/api'
import { asc, eq } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import { drizzle } from 'drizzle-orm/postgres-js'
import { beforeEach, describe, expect, test } from 'vitest'
import { createPgStore, daybookTables, type PgTableOptions } from '../src/index.ts'
import { introspected } from './introspection.ts'
import { client, key, migratedStore, newSchema, openStore } from './places.ts'
import { needsServer } from './server.ts'

beforeEach(needsServer)

/** Makes the tables as the application's drizzle-kit would; without a schema of its own that one writes `public`. */
async function asDrizzleKitMakesThem(schema: string, options: PgTableOptions): Promise<void> {
  const sql = client({ max: 1, connection: { search_path: schema } })
  await sql`create schema ${sql(schema)}`
  const statements = await generateMigration(
    generateDrizzleJson({}),
    generateDrizzleJson({ ...daybookTables(options) }),
  )
  for (const statement of statements)
    await sql.unsafe(options.schema === undefined ? statement.replaceAll('"public".', '') : statement)
}

const shapes: Record<string, PgTableOptions> = {
  'the default names': {},
  'another prefix': { prefix: 'My$agent_' },
  'no prefix': { prefix: '' },
  'names for single tables': { tables: { sessions: 'Conversations', events: 'turns' } },
  'the longest names': { prefix: 'p'.repeat(39) },
}

describe('drizzle-kit and migrate() make the same schema', () => {
  test.for(Object.entries(shapes))('with %s', async ([, options]) => {
    const [kit, ours] = [newSchema(), newSchema()]
    await asDrizzleKitMakesThem(kit, { ...options, schema: kit })
    await (await openStore({ ...options, schema: ours })).migrate()
    const sql = client()
    expect(await introspected(sql, ours)).toEqual(await introspected(sql, kit))
  })

  test('in the first schema of the search path, where none is named', async () => {
    const [kit, ours] = [newSchema(), newSchema()]
    await asDrizzleKitMakesThem(kit, {})
    const sql = client()
    await sql`create schema ${sql(ours)}`
    const store = await createPgStore(drizzle({ client: client({ connection: { search_path: ours } }) }))
    await store.migrate()
    expect(await introspected(sql, ours)).toEqual(await introspected(sql, kit))
    expect((await store.sessions.create(key)).revision).toBe(1)
  })
})

test('every id and every text to filter by is compared byte for byte', async () => {
  const { schema } = await migratedStore()
  const sql = client()
  const rows = await sql`
    select c.relname || '.' || a.attname as "column", l.collname as "collation", format_type(a.atttypid, a.atttypmod) as "type"
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace join pg_collation l on l.oid = a.attcollation
    where n.nspname = ${schema} and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped and c.relname <> 'daybook_migrations' order by 1`
  const id = { collation: 'C', type: 'character varying(191)' }
  const name = { collation: 'C', type: 'character varying(255)' }
  const tag = { collation: 'C', type: 'character varying(32)' }
  const text = { collation: 'C', type: 'text' }
  expect(Object.fromEntries(rows.map(({ column, ...rest }) => [column, rest]))).toEqual({
    'daybook_app_states.app_name': id,
    'daybook_artifact_chunks.app_name': id,
    'daybook_artifact_chunks.upload_id': id,
    'daybook_artifact_chunks.user_id': id,
    'daybook_artifact_versions.codec': id,
    'daybook_artifact_versions.mime_type': id,
    'daybook_artifact_versions.save_id': id,
    'daybook_artifact_versions.sha256': id,
    'daybook_artifact_versions.upload_id': id,
    'daybook_artifacts.app_name': id,
    'daybook_artifacts.name': id,
    'daybook_artifacts.session_id': id,
    'daybook_artifacts.user_id': id,
    'daybook_events.author': text,
    'daybook_events.branch': text,
    'daybook_events.error_code': text,
    'daybook_events.event_id': id,
    'daybook_events.invocation_id': text,
    'daybook_memories.app_name': id,
    'daybook_memories.author': text,
    // Compared by nobody but the store, which compares them as they are.
    'daybook_memories.digest': { collation: 'default', type: 'text' },
    'daybook_memories.event_id': id,
    'daybook_memories.memory_id': id,
    'daybook_memories.session_id': id,
    'daybook_memories.user_id': id,
    'daybook_metrics.agent_name': name,
    'daybook_metrics.app_name': id,
    'daybook_metrics.currency': tag,
    'daybook_metrics.environment': name,
    'daybook_metrics.error': text,
    'daybook_metrics.error_type': name,
    'daybook_metrics.event_id': id,
    'daybook_metrics.finish_reason': name,
    'daybook_metrics.image_format': tag,
    'daybook_metrics.invocation_id': text,
    'daybook_metrics.model': name,
    'daybook_metrics.operation_name': name,
    'daybook_metrics.operation_type': tag,
    'daybook_metrics.parent_span_id': id,
    'daybook_metrics.price_id': name,
    'daybook_metrics.provider': name,
    'daybook_metrics.release': name,
    'daybook_metrics.request_model': name,
    'daybook_metrics.response_id': name,
    'daybook_metrics.session_id': id,
    'daybook_metrics.span_id': id,
    'daybook_metrics.status': tag,
    'daybook_metrics.trace_id': id,
    'daybook_metrics.usage_source': tag,
    'daybook_metrics.user_id': id,
    'daybook_sessions.app_name': id,
    'daybook_sessions.lease_owner': id,
    'daybook_sessions.session_id': id,
    'daybook_sessions.user_id': id,
    'daybook_user_states.app_name': id,
    'daybook_user_states.user_id': id,
  })
})

test('ids of the longest kind fit the indexes', async () => {
  const store = await migratedStore()
  const ids = Array.from({ length: 128 }, (_, i) => String.fromCodePoint(0x1f300 + i)).join('') // 512 bytes that do not compress
  const session = await store.sessions.create({ appName: ids, userId: ids, sessionId: ids })
  await store.events.append(session, { id: ids })
  expect((await store.events.list(session)).items.map(({ event }) => event.id)).toEqual([ids])
  await store.artifacts.save({ ...session, name: ids }, Buffer.from('x'), { saveId: ids })
  expect(
    (await store.artifacts.list({ appName: ids, userId: ids, sessionId: ids })).items.map(({ name }) => name),
  ).toEqual([ids])
})

test('a schema named public is a schema like others', () => {
  const { sessions, events } = daybookTables({ schema: 'public' })
  expect([sessions, events].map((table) => getTableConfig(table).schema)).toEqual(['public', 'public'])
})

test('the tables are there for joins, under the names they have', async () => {
  const store = await migratedStore({ prefix: 'x_' })
  await store.sessions.create(key)
  await store.events.append(key, [{ id: 'e1', author: 'ann', timestamp: 1_700_000_000_000.123 }, { id: 'e2' }])
  const { sessions, events } = store.tables
  const rows = await store.db
    .select({ id: events.eventId, author: events.author, timestamp: events.timestamp, user: sessions.userId })
    .from(events)
    .innerJoin(sessions, eq(sessions.sid, events.sid))
    .orderBy(asc(events.seq))
  expect(rows).toEqual([
    { id: 'e1', author: 'ann', timestamp: 1_700_000_000_000.123, user: 'ann' },
    { id: 'e2', author: null, timestamp: expect.any(Number), user: 'ann' },
  ])
})

describe('a name that could not stand inside quotes is refused before anything is sent', () => {
  const hostile: readonly (readonly [field: string, options: object])[] = [
    ['prefix', { prefix: 'a"; drop table orders; --' }],
    ['prefix', { prefix: "a'" }],
    ['prefix', { prefix: '1a' }],
    ['prefix', { prefix: 'a b' }],
    ['prefix', { prefix: 'a\0' }],
    ['prefix', { prefix: 'é' }],
    ['prefix', { prefix: 'p'.repeat(40) }],
    ['prefix', { prefix: null }],
    ['prefix', { prefix: 5 }],
    ['tables', { tables: null }],
    ['tables', { tables: { sessions: 'same', events: 'SAME' } }],
    ['tables.sessions', { tables: { sessions: '' } }],
    ['tables.events', { tables: { events: 'a"b' } }],
    ['tables.orders', { tables: { orders: 'a' } }],
    ['schema', { schema: '' }],
    ['schema', { schema: 'a"."b' }],
    ['schema', { schema: "a'" }],
    ['schema', { schema: 'a\n' }],
    ['schema', { schema: 'pg_catalog' }],
    ['schema', { schema: 's'.repeat(64) }],
    ['schema', { schema: null }],
  ]
  test.for(hostile)('%s: %j', async ([field, options]) => {
    await expect(openStore(options)).rejects.toMatchObject({ code: 'invalid_argument', facts: { field } })
    expect(() => daybookTables(options)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', facts: { field } }),
    )
  })
})
