import { describedIndex, tableNamesOf, type Catalog } from '@daybook/drizzle'
import { getTableColumns, sql } from 'drizzle-orm'
import { getTableConfig } from 'drizzle-orm/mysql-core'
import { isNamed } from './migrate.ts'
import { daybookTables, type MysqlTableOptions } from './schema.ts'

/**
 * What information_schema says of our tables, in the words of the schema. The two servers spell one type in several ways: MariaDB
 * tells a width with a whole number, and has no JSON type but a text that is checked. A collation matters where the schema
 * names one; elsewhere only the character set does.
 */
export function catalogOf(options: MysqlTableOptions): Catalog {
  const tables = Object.values(daybookTables(options))
  const exact = tables.flatMap((table) =>
    Object.values(getTableColumns(table))
      .filter((column) => column.getSQLType().includes('COLLATE'))
      .map(({ name }) => `'${getTableConfig(table).name}.${name}'`),
  )
  const names = tables.map((table) => `select '${getTableConfig(table).name}' as name`).join(' union all ')
  const ours = (column: string) => `(${names}) as o on ${isNamed(column, 'o.name')}`
  const isExact = `(concat(o.name, '.', c.column_name) in (${exact.join(', ')}) or c.generation_expression <> '')`
  const isJson =
    options.flavour === 'mysql'
      ? 'false'
      : `exists (select 1 from information_schema.check_constraints as k
        where k.constraint_schema = database() and k.table_name = c.table_name and lower(replace(k.check_clause, '\`', '')) = concat('json_valid(', lower(c.column_name), ')'))`
  return {
    indexes: Object.fromEntries(tables.map((table) => indexesOf(table, options))),
    found: {
      sql: sql.raw(`
        select o.name as \`table\`, 'column' as \`kind\`, c.column_name as \`name\`, lower(concat(
          case when c.data_type like '%int' then concat(c.data_type, if(locate('unsigned', c.column_type) > 0, ' unsigned', ''))
            when c.data_type = 'longtext' and ${isJson} then 'json' else c.column_type end,
          case when c.character_set_name is null or ${isJson} then ''
            when ${isExact} then concat(' character set ', c.character_set_name, ' collate ', c.collation_name)
            when c.character_set_name = 'utf8mb4' then '' else concat(' character set ', c.character_set_name) end,
          if(coalesce(c.generation_expression, '') = '', '', ' generated'),
          if(c.column_key = 'PRI' and locate('auto_increment', c.extra) = 0 and (c.column_name = 'sid' and o.name = '${tableNamesOf(options).sessions}' or c.column_name = 'aid' and o.name = '${tableNamesOf(options).artifacts}'), ' without auto_increment', ''),
          if(c.is_nullable = 'NO', ' not null', ''))) as \`type\`
        from information_schema.columns as c join ${ours('c.table_name')} where c.table_schema = database()
        union all select o.name, 'required', c.column_name, ''
        from information_schema.columns as c join ${ours('c.table_name')} where c.table_schema = database()
          and c.is_nullable = 'NO' and c.column_default is null and locate('auto_increment', c.extra) = 0
          and coalesce(c.generation_expression, '') = ''
        union all select o.name, 'index', s.index_name, concat(if(max(s.non_unique) = 0, 'unique ', ''), '(',
          group_concat(concat(s.column_name, if(s.sub_part is null, '', concat('(', s.sub_part, ')')),
            ${hasDirections(options) ? "if(s.collation = 'D', ' desc', '')" : "''"}) order by s.seq_in_index separator ', '), ')')
        from information_schema.statistics as s join ${ours('s.table_name')} where s.table_schema = database()
        group by o.name, s.index_name`),
    },
  }
}

/** MariaDB has descending columns from 10.8 on, and reads over the word before. */
const hasDirections = ({ flavour }: MysqlTableOptions) => flavour === 'mysql'

function indexesOf(table: Parameters<typeof getTableConfig>[0], options: MysqlTableOptions) {
  const { name, indexes, primaryKeys, uniqueConstraints, columns } = getTableConfig(table)
  const primary = primaryKeys[0]?.columns ?? columns.filter((column) => column.primary)
  const described = [
    ['PRIMARY', describedIndex(true, primary)],
    ...indexes.map(({ config }) => [config.name, describedIndex(config.unique === true, config.columns)] as const),
    ...uniqueConstraints.map((key) => [key.name ?? '', describedIndex(true, key.columns)] as const),
  ] as const
  const told = described.map(
    ([index, made]) => [index, hasDirections(options) ? made : made.replaceAll(' desc', '')] as const,
  )
  return [name, Object.fromEntries(told)] as const
}
