import type { Source, SourceDialect, TimeColumn } from './source.ts'

const time: TimeColumn = {
  sql: (column) => `(extract(epoch from ${column}) * 1000000)::bigint::text`,
  read: (value) => (value === null ? Number.NaN : Number(value) / 1000),
}

export const postgres: SourceDialect = {
  flavour: 'postgresql',
  name: (identifier) => `"${identifier.replaceAll('"', '""')}"`,
  param: (n) => `$${n}`,
  jsonText: (column) => `${column}::text`,
  columns: `select c.relname::text as "of", a.attname::text as "name" from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'p', 'v', 'm') and pg_table_is_visible(c.oid)
      and c.relnamespace not in ('pg_catalog'::regnamespace, 'information_schema'::regnamespace)`,
  adkTime: () => time,
  sqlspecTime: time,
  isZoneless: false,
}

export async function openPostgres(url: string): Promise<Source> {
  const { Client } = await import('pg')
  const client = new Client({ connectionString: url, application_name: 'daybook import' })
  client.on('error', () => {}) // the statement that is running, or the next one, fails by itself
  await client.connect()
  await client.query('begin isolation level repeatable read read only')
  return {
    dialect: postgres,
    query: async (sql, params) => (await client.query<Record<string, unknown>>(sql, [...params])).rows,
    close: () => client.end(),
  }
}
