import type { Expressions, InsertNew } from '@daybook/drizzle'
import { bare, insertInto, selected } from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'

const isOneOf: Expressions['isOneOf'] = (column, list) => sql`${column} in (select value from json_each(${list}))`

// CROSS JOIN keeps its order. Left to choose, the planner would rather read all events of a session than look up two ids.
const selectEach: Expressions['selectEach'] = (columns, from, table, condition) =>
  sql`select ${selected(columns)} from ${from} cross join ${table} where ${condition}`

/** What SQLite writes inside expressions. A writer has the whole database, so rows need no lock of their own. */
export const expressions: Expressions = {
  json: (text) => sql`${text}`,
  payload: (text) => sql`${text}`,
  jsonText: (column) => sql`${column}`,
  payloadText: (column) => sql`${column}`,
  wholeText: (column) => sql`cast(${column} as text)`,
  castText: (column) => sql`cast(${column} as text)`,
  money: (units) => sql`cast(${units} as integer)`,
  moneyUnits: (column) => sql`${column}`,
  sumText: (value) =>
    sql`cast(sum((${value}) / 1000000000000) as text) || '|' || cast(sum((${value}) % 1000000000000) as text)`,
  moneyText: (column) => sql`cast(${column} as text)`,
  time: (column) => sql`iif(${column} < 9007199254740992, ${column}, cast(${column} as text))`,
  wholeParam: (value) => sql`${value}`,
  textParam: (value) => sql`${value}`,
  strings: (list) => sql`json_each(${list}) as one`,
  wholes: (list) => sql`json_each(${list}) as one`,
  texts: (list, names) =>
    sql`(select ${sql.raw(names.map((name) => `json_extract(value, '$.${name}') as "${name}"`).join(', '))} from json_each(${list})) as one`,
  isOneOf,
  selectEach,
  selectMany: selectEach,
  deleteListed: (table, column, list) => sql`delete from ${table} where ${isOneOf(column, list)}`,
  // What is asked besides stands in a CASE, which no index is walked for: without ANALYZE one of a range would be rather than that of the keys.
  deleteEach: (table, columns, from, further) => {
    const besides = further === undefined ? sql`` : sql` and case when ${further} then 1 end`
    const [keys, values] = [columns.map(([column]) => bare(column)), columns.map(([, value]) => value)]
    return sql`delete from ${table} where (${sql.join(keys, sql`, `)}) in (select ${sql.join(values, sql`, `)} from ${from})${besides}`
  },
  forUpdate: sql``,
}

/** `ON CONFLICT` with its target, so that any other unique key still fails. */
export const insertNewSql = ({ into, target, values }: InsertNew): SQL =>
  sql`${insertInto(into, values)} on conflict (${sql.join(
    target.map((column) => bare(column)),
    sql`, `,
  )}) do nothing`
