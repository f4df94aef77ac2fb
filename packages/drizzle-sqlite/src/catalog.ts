import { tableNamesOf, type Catalog, type TableNameOptions } from '@daybook/drizzle'
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
      [...plain.map(({ config }) => config.name), ...uniqueConstraints.map((key) => key.name ?? '')],
    ] as const
  })
  return {
    indexes: Object.fromEntries(indexes),
    found: {
      sql: sql.raw(`
        select m.name as "table", 'column' as "kind", c.name as "name", lower(c.type) || iif(c."notnull", ' not null', '') as "type"
        from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table' and m.name in (${names})
        union all select tbl_name, 'index', name, 'valid' from sqlite_master where type = 'index' and tbl_name in (${names})`),
    },
  }
}
