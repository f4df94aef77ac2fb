import { daybookTables, openSqliteStore } from '@daybook/drizzle-sqlite'
import { generateSQLiteDrizzleJson, generateSQLiteMigration } from 'drizzle-kit/api'
import { sql } from 'drizzle-orm'
import { describe, expect, test } from 'vitest'
import { key } from './places.ts'

type Options = NonNullable<Parameters<typeof daybookTables>[0]>
type Database = Awaited<ReturnType<typeof openMemory>>['db']

const openMemory = (options: Options = {}) => openSqliteStore({ url: ':memory:', ...options })

/** The schema as it is, by what SQLite says of it. */
function introspected(db: Database) {
  const tables = db.all<{ name: string; text: string }>(
    sql`select name as "name", sql as "text" from sqlite_master where type = 'table' and name not like 'sqlite_%' order by name`,
  )
  return tables.map(({ name, text }) => ({
    name,
    columns: db.all(
      sql`select name, lower(type) as type, "notnull", dflt_value as "default", pk from pragma_table_info(${name}) order by name`,
    ),
    indexes: db
      .all<{ name: string }>(
        sql`select name, "unique", origin, partial from pragma_index_list(${name}) order by origin, name`,
      )
      .map((index) => ({
        ...index,
        columns: db.all(
          sql`select name, "desc", coll from pragma_index_xinfo(${index.name}) where key = 1 order by seqno`,
        ),
      })),
    foreignKeys: db.all(sql`select "table", "from", "to", on_update, on_delete from pragma_foreign_key_list(${name})`),
    checks: checksOf(text, name),
  }))
}

/** SQLite offers the text only; a column may be written with its table before it. */
const checksOf = (text: string, table: string) =>
  [...text.replaceAll(`"${table}".`, '').matchAll(/CONSTRAINT "(\w+)" CHECK ?\(((?:[^()]|\([^()]*\))*)\)/g)].map(
    ([, name, condition]) => ({ name, condition }),
  )

async function asDrizzleKitMakesIt(options: Options): Promise<Database> {
  const empty = await generateSQLiteDrizzleJson({})
  const { db } = await openMemory()
  for (const statement of await generateSQLiteMigration(empty, await generateSQLiteDrizzleJson(daybookTables(options))))
    db.run(sql.raw(statement))
  return db
}

const namings: readonly Options[] = [
  {},
  { prefix: 'my_app_' },
  { prefix: 'x_', tables: { sessions: 'Conversations', migrations: '_history$' } },
]

describe('what Drizzle knows of the tables is what migrate() makes', () => {
  test.for(namings)('with the names %o', async (options) => {
    await using store = await openMemory(options)
    await store.migrate()
    const made = introspected(store.db)
    expect(made.map(({ name }) => name)).toHaveLength(11)
    expect(made.flatMap(({ checks }) => checks)).toHaveLength(3)
    expect(introspected(await asDrizzleKitMakesIt(options))).toEqual(made)
  })

  test('every table and index has a name that begins with the table’s, so that two stores fit in one database', async () => {
    await using store = await openMemory()
    const { db } = store
    await store.migrate()
    const names = db.all<{ name: string }>(sql`select name from sqlite_master where name not like 'sqlite_%'`)
    expect(names.filter(({ name }) => !name.startsWith('daybook_'))).toEqual([])
  })
})

describe('what Drizzle cannot say', () => {
  test('events lie side by side: their table is WITHOUT ROWID', async () => {
    await using store = await openMemory()
    await store.migrate()
    const rows = store.db.all(
      sql`select name, wr from pragma_table_list where name like 'daybook_%' and type = 'table' order by name`,
    )
    expect(rows).toEqual([
      { name: 'daybook_app_states', wr: 0 },
      { name: 'daybook_artifact_chunks', wr: 0 },
      { name: 'daybook_artifact_versions', wr: 1 },
      { name: 'daybook_artifacts', wr: 0 },
      { name: 'daybook_events', wr: 1 },
      { name: 'daybook_memories', wr: 0 },
      { name: 'daybook_memory_words', wr: 1 },
      { name: 'daybook_metrics', wr: 0 },
      { name: 'daybook_migrations', wr: 0 },
      { name: 'daybook_sessions', wr: 0 },
      { name: 'daybook_user_states', wr: 0 },
    ])
  })

  test('a sid never comes back', async () => {
    await using store = await openMemory()
    await store.migrate()
    const sidNow = () => store.db.all<{ sid: number }>(sql`select sid from daybook_sessions`)
    await store.sessions.create(key)
    const [first] = sidNow()
    await store.sessions.delete(key)
    await store.sessions.create(key)
    const [second] = sidNow()
    expect(second?.sid).toBeGreaterThan(first?.sid ?? Infinity)
  })
})

test('rows read through Drizzle are values: times in milliseconds, documents as objects', async () => {
  await using store = await openMemory()
  await store.migrate()
  await store.sessions.create({ ...key, state: { theme: 'dark' } })
  await store.events.append(key, { id: 'e1', timestamp: 1_700_000_000_000.25, content: { text: 'hi' } })
  const { sessions, events } = store.tables
  const [row] = store.db
    .select({ state: sessions.state, at: events.timestamp, payload: events.payload })
    .from(sessions)
    .innerJoin(events, sql`${events.sid} = ${sessions.sid}`)
    .all()
  expect(row).toMatchObject({
    state: { theme: 'dark' },
    at: 1_700_000_000_000.25,
    payload: { id: 'e1', content: { text: 'hi' } },
  })
})
