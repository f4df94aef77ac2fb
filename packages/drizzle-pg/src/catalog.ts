import { describedIndex, tableNamesOf, type Catalog } from '@daybook/drizzle'
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
      Object.fromEntries([
        ...plain.map(({ config }) => [config.name ?? '', describedIndex(config.unique, config.columns)] as const),
        ...primaryKeys.map((key) => [key.getName(), describedIndex(true, key.columns)] as const),
        ...uniqueConstraints.map((key) => [key.name ?? '', describedIndex(true, key.columns)] as const),
      ]),
    ] as const
  })
  return {
    indexes: Object.fromEntries(indexes),
    found: {
      sql: sql.raw(`
        select c.relname::text as "table", 'column' as "kind", a.attname::text as "name", lower(
          replace(format_type(a.atttypid, a.atttypmod), 'character varying', 'varchar')
          || case when l.collname is null or l.collname = 'default' then '' else ' collate "' || l.collname || '"' end
          || case when a.attgenerated = '' then '' else ' generated' end
          || case when a.attnotnull then ' not null' else '' end) as "type"
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
          left join pg_catalog.pg_collation l on l.oid = a.attcollation
        where ${ours}
        union all
        select c.relname::text, 'required', a.attname::text, ''
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        where a.attnotnull and not a.atthasdef and a.attidentity = '' and ${ours}
        union all
        select c.relname::text, 'index', i.relname::text, case when x.indisvalid and x.indisready then
          case when x.indisunique then 'unique ' else '' end || '(' || (
            select string_agg(coalesce(a.attname, pg_get_indexdef(x.indexrelid, k, true))
              || case when l.collname is null or a.attcollation = l.oid then '' else ' collate "' || l.collname || '"' end
              || case x.indoption[k - 1] when 1 then ' desc nulls last' when 2 then ' nulls first' when 3 then ' desc' else '' end, ', ' order by k)
            from generate_series(1, x.indnkeyatts::int) as k
              left join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = x.indkey[k - 1]
              left join pg_catalog.pg_collation l on l.oid = x.indcollation[k - 1]
          ) || ')' || case when x.indpred is null then '' else ' where ' || pg_get_expr(x.indpred, x.indrelid) end
          else 'invalid' end
        from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
          join pg_catalog.pg_index x on x.indrelid = c.oid join pg_catalog.pg_class i on i.oid = x.indexrelid
        where ${ours}`),
    },
  }
}
