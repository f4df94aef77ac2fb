import { tableNamesOf, type Catalog } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/pg-core'
import { daybookTables, schemaNameOf, type PgTableOptions } from './schema.ts'

/** What pg_catalog says of our tables. */
export function catalogOf(options: PgTableOptions): Catalog {
  const schema = schemaNameOf(options)
  const ours = `n.nspname = ${schema === undefined ? 'current_schema()' : `'${schema}'`} and c.relname in (${Object.values(
    tableNamesOf(options),
  )
    .map((name) => `'${name}'`)
    .join(', ')})`
  const indexes = Object.values(daybookTables(options)).map((table) => {
    const { name, indexes: plain, primaryKeys, uniqueConstraints } = getTableConfig(table)
    return [
      name,
      [
        ...plain.map(({ config }) => config.name ?? ''),
        ...primaryKeys.map((key) => key.getName()),
        ...uniqueConstraints.map((key) => key.name ?? ''),
      ],
    ] as const
  })
  return {
    indexes: Object.fromEntries(indexes),
    found: {
      sql: sql.raw(`
        select c.relname::text as "table", 'column' as "kind", a.attname::text as "name", lower(
          replace(format_type(a.atttypid, a.atttypmod), 'character varying', 'varchar')
          || case when l.collname is null or l.collname = 'default' then '' else ' collate "' || l.collname || '"' end
          || case when a.attnotnull then ' not null' else '' end) as "type"
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          left join pg_catalog.pg_collation l on l.oid = a.attcollation
        where ${ours}
        union all
        select c.relname::text, 'index', i.relname::text, case when x.indisvalid and x.indisready then 'valid' else 'invalid' end
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          join pg_catalog.pg_index x on x.indrelid = c.oid join pg_catalog.pg_class i on i.oid = x.indexrelid
        where ${ours}`),
    },
  }
}
