import type { Catalog } from '@daybook/drizzle'
import { getTableColumns, sql } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/mysql-core'
import { daybookTables, type MysqlTableOptions } from './schema.ts'

/**
 * Which of our columns and indexes are there. The two servers spell one type in several ways, so a column that is there counts as
 * the one that was made; collations, character sets and engines are looked at before the first use of a schema.
 */
export function catalogOf(options: MysqlTableOptions): Catalog {
  const tables = Object.values(daybookTables(options)).map((table) => {
    const { name, indexes, uniqueConstraints } = getTableConfig(table)
    const columns = Object.values(getTableColumns(table)).map((column) => [
      column.name,
      `${column.getSQLType()}${column.notNull ? ' not null' : ''}`.toLowerCase(),
    ])
    return {
      name,
      columns,
      indexes: [...indexes.map(({ config }) => config.name), ...uniqueConstraints.map((key) => key.name ?? '')],
    }
  })
  const columns = tables.flatMap((table) => table.columns.map(([name, made]) => [table.name, name, made]))
  const indexes = tables.flatMap((table) => table.indexes.map((name) => [table.name, name, 'valid']))
  return {
    indexes: Object.fromEntries(tables.map((table) => [table.name, table.indexes])),
    found: {
      sql: sql.raw(`
        select o.t as \`table\`, 'column' as \`kind\`, o.n as \`name\`, o.made as \`type\` from (${listed(columns)}) as o
          where exists (select 1 from information_schema.columns as c where c.table_schema = database()
            and lower(c.table_name) = lower(o.t) and c.column_name = o.n)
        union all select o.t, 'index', o.n, o.made from (${listed(indexes)}) as o
          where exists (select 1 from information_schema.statistics as s where s.table_schema = database()
            and lower(s.table_name) = lower(o.t) and s.index_name = o.n)`),
    },
  }
}

/** Names are checked, and types are ours, so both can stand inside quotes. */
const listed = (rows: readonly (readonly (string | undefined)[])[]): string =>
  rows.map(([t, n, made]) => `select '${t}' as t, '${n}' as n, '${made}' as made`).join(' union all ')
