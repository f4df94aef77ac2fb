import { insertInto, type Expressions, type InsertNew } from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import { collations, type Flavour } from './schema.ts'

/** What MySQL and MariaDB write inside expressions. */
export const expressionsFor = (flavour: Flavour): Expressions => ({
  json: (text) => sql`${text}`,
  payload: (text) => sql`${text}`,
  jsonText: (column) => sql`cast(${column} as char)`,
  payloadText: (column) => sql`${column}`,
  wholeText: (column) => sql`cast(${column} as char)`,
  time: (column) => sql`cast(${column} as char)`,
  wholeParam: (value) => sql`${value}`,
  // The list's strings get the column's own collation: two of them would not be compared at all.
  textParam: (value) => sql`${value}`,
  fromAmong: (table, condition, column, list) =>
    sql`from ${table} where ${condition} and ${column} in (select one.v from json_table(${list}, '$[*]' columns (v varchar(191) character set utf8mb4 collate ${sql.raw(collations[flavour])} path '$')) as one)`,
  forUpdate: sql` for update`,
})

/** Not INSERT IGNORE, which forgives a text that is cut and a parent that is missing: a key that exists is an error to catch. */
export const insertSql = ({ into, values }: InsertNew): SQL => insertInto(into, values)

/** Takes the row's lock at once. After a failed INSERT two writers would share it, and neither could go on to write. */
export const ensureSql = ({ into, values, target }: InsertNew): SQL => {
  const [column] = target
  if (column === undefined) throw new TypeError('an insert needs a target')
  const name = sql.identifier(column.name)
  return sql`${insertInto(into, values)} on duplicate key update ${name} = ${sql.identifier(column.name)}`
}
