import { insertInto, selected, type Expressions, type InsertNew } from '@daybook/drizzle'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import type { Probe } from './probe.ts'
import { collations } from './schema.ts'

const numbers = (list: SQLWrapper) => sql`json_table(${list}, '$[*]' columns (value bigint path '$')) as one`

const selectEach: Expressions['selectEach'] = (columns, from, table, condition) =>
  sql`select ${selected(columns)} from ${from} straight_join ${table} on ${condition}`

/** What MySQL and MariaDB write inside expressions. */
export const expressionsFor = ({
  flavour,
  keepsBigNumbers,
  keepsJsonText,
}: Pick<Probe, 'flavour' | 'keepsBigNumbers' | 'keepsJsonText'>): Expressions => ({
  json: (text) => sql`${text}`,
  payload: (text) => sql`${text}`,
  // A JSON of MariaDB is a text, of which a cast would make a copy.
  jsonText: (column) => (flavour === 'mariadb' ? sql`${column}` : sql`cast(${column} as char)`),
  // MySQL sends one as its text anyway, but lacks the room to sort rows with some of them.
  ...(keepsJsonText && { unsortedJsonText: (column) => sql`${column}` }),
  payloadText: (column) => sql`${column}`,
  wholeText: (column) => sql`cast(${column} as char)`,
  castText: (column) => sql`cast(${column} as char)`,
  money: (units) => sql`(cast(${units} as decimal(24, 0)) * 0.000000000001)`,
  moneyUnits: (column) => sql`(${column} * 1000000000000)`,
  sumText: (value) => sql`cast(truncate(sum(${value}), 0) as char)`,
  moneyText: (column) => sql`cast(cast(${column} * 1000000000000 as signed) as char)`,
  // By `max_sort_length` bytes of it; and MySQL sorts rows only if a few of them fit into its buffer.
  shortKey: (text) => sql`sha2(${text}, 256)`,
  time: (column) => (keepsBigNumbers ? sql`${column}` : sql`cast(${column} as char)`),
  wholeParam: (value) => sql`${value}`,
  textParam: (value) => sql`${value}`,
  // The strings get the collation of our columns: two of them would not be compared at all. In a subquery, since MySQL takes a
  // JSON_TABLE that stands by itself for a table to lock, and then for two.
  strings: (list) =>
    sql`(select given.value from json_table(${list}, '$[*]' columns (value varchar(191) character set utf8mb4 collate ${sql.raw(collations[flavour])} path '$')) as given) as one`,
  wholes: (list) =>
    sql`(select given.value from json_table(${list}, '$[*]' columns (value bigint path '$')) as given) as one`,
  texts: (list, names) => {
    const columns = names.map(
      (name) => `${name} varchar(191) character set utf8mb4 collate ${collations[flavour]} path '$.${name}'`,
    )
    return sql`(select given.* from json_table(${list}, '$[*]' columns (${sql.raw(columns.join(', '))})) as given) as one`
  },
  isOneOf: (column, list) => sql`${column} in (select one.value from ${numbers(list)})`,
  selectEach,
  selectMany: selectEach,
  // A join: with IN, a DELETE asks the subquery about every row of the table, whosever it is, and locks them all.
  deleteListed: (table, column, list) =>
    sql`delete ${table} from ${numbers(list)} straight_join ${table} on ${column} = one.value`,
  deleteEach: (table, columns, from, further) =>
    sql`delete ${table} from ${from} straight_join ${table} on ${sql.join(
      columns.map(([column, value]) => sql`${column} = ${value}`),
      sql` and `,
    )}${further === undefined ? sql`` : sql` and ${further}`}`,
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
