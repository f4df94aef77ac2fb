import { describedIndex, tableNamesOf, type Catalog, type TableNameOptions } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/sqlite-core'
import { daybookTables } from './schema.ts'

/** What sqlite_master and the pragmas say of our tables. */
export function catalogOf(options: TableNameOptions): Catalog {
  const names = Object.values(tableNamesOf(options))
    .map((name) => `'${name}'`)
    .join(', ')
  const indexes = Object.values(daybookTables(options)).map((table) => {
    const { name, indexes: plain, uniqueConstraints } = getTableConfig(table)
    return [
      name,
      Object.fromEntries([
        ...plain.map(({ config }) => [config.name, describedIndex(config.unique, config.columns)] as const),
        ...uniqueConstraints.map((key) => [key.name ?? '', describedIndex(true, key.columns)] as const),
      ]),
    ] as const
  })
  return {
    indexes: Object.fromEntries(indexes),
    found: {
      sql: sql.raw(`
        select m.name as "table", 'column' as "kind", c.name as "name",
          lower(c.type) || iif(c.hidden > 1, ' generated', '') || iif(c."notnull", ' not null', '') as "type"
        from sqlite_master m, pragma_table_xinfo(m.name) c where m.type = 'table' and m.name in (${names})
        union all select m.name, 'required', c.name, ''
        from sqlite_master m, pragma_table_xinfo(m.name) c where m.type = 'table' and m.name in (${names})
          and c."notnull" and c.dflt_value is null and c.hidden = 0
        union all select m.tbl_name, 'index', m.name, iif(l."unique", 'unique ', '') || '(' || (
          select group_concat(x.part, ', ') from (
            select coalesce(p.name, 'expression') || iif(p.coll = 'BINARY', '', ' collate ' || lower(p.coll)) || iif(p."desc", ' desc', '') as part
            from pragma_index_xinfo(m.name) p where p.key order by p.seqno) x
          ) || ')' || iif(l.partial, ' in part', '')
        from sqlite_master m, pragma_index_list(m.tbl_name) l
        where m.type = 'index' and m.tbl_name in (${names}) and l.name = m.name`),
    },
  }
}
