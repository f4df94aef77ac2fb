import {
  bare,
  insertInto,
  insertSelect,
  selected,
  type Expressions,
  type InsertAll,
  type InsertNew,
} from '@daybook/drizzle'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'

// Not a subquery, of which the planner would not know how few rows it has.
const isOneOf: Expressions['isOneOf'] = (column, list) =>
  sql`${column} = any(translate(${list}::text, '[]', '{}')::bigint[])`

const wholes: Expressions['wholes'] = (list) =>
  sql`(select value::bigint from jsonb_array_elements_text(${list}::text::jsonb) as given(value)) as one`

// By where the rows are, and not a join, whose order the planner would choose; nor a list, which it may compare with each row of a
// small table, and reads anew each time.
const deleteEach: Expressions['deleteEach'] = (table, columns, from, further) => {
  const isMeant = sql.join(
    columns.map(([column, value]) => sql`${column} = ${value}`),
    sql` and `,
  )
  return sql`delete from ${table} where ctid = any(array(
    select its.ctid from ${from} cross join lateral (select ctid from ${table} where ${isMeant}${further === undefined ? sql`` : sql` and ${further}`} offset 0) as its))`
}

/** The object id of `refcursor`. */
export const documentType = 1790

/**
 * A text by the name of a type that no column has, so that documents can be told by it and an application has no parser for it: names
 * of cursors are texts of any length.
 */
const documentText = (text: SQLWrapper): SQL => sql`${text}::text::refcursor`

/** What PostgreSQL writes inside expressions. */
export const expressions: Expressions = {
  // ::text first: a driver that knows the parameter as JSON would encode the text a second time.
  json: (text) => sql`${text}::text::jsonb`,
  payload: (text) => sql`${text}::text::json`,
  jsonText: documentText,
  payloadText: documentText,
  wholeText: (column) => sql`${column}::text`,
  // Each LIMIT is taken for a tenth, so that three make a page look small beside the rows of a user with thousands. The planner, up to
  // version 18, keeps the order of a subquery that nothing but a LIMIT follows.
  firstRows: (ordered, limit) =>
    sql`select * from (select * from (${ordered} limit ${limit}) as page limit ${limit}) as page limit ${limit}`,
  castText: (column) => sql`${column}::text`,
  money: (units) => sql`(${units}::numeric * 0.000000000001)`,
  moneyUnits: (column) => sql`(${column} * 1000000000000)`,
  sumText: (value) => sql`trunc(sum(${value}))::text`,
  moneyText: (column) => sql`(${column} * 1000000000000)::bigint::text`,
  time: (column) => sql`${column}::text`,
  wholeParam: (value) => sql`${value}::bigint`,
  textParam: (value) => sql`${value}::text`,
  strings: (list) => sql`jsonb_array_elements_text(${list}::text::jsonb) as one(value)`,
  wholes,
  texts: (list, names) =>
    sql`json_to_recordset(${list}::text::json) as one(${sql.raw(names.map((name) => `"${name}" text`).join(', '))})`,
  isOneOf,
  // A subquery with a limit, or an offset, is not merged into a join, whose order the planner would choose.
  selectEach: (columns, from, table, condition) =>
    sql`select its.* from ${from} cross join lateral (select ${selected(columns)} from ${table} where ${condition} limit 1) as its`,
  selectMany: (columns, from, table, condition) =>
    sql`select its.* from ${from} cross join lateral (select ${selected(columns)} from ${table} where ${condition} offset 0) as its`,
  deleteListed: (table, column, list) => deleteEach(table, [[column, sql`one.value`]], wholes(list)),
  deleteEach,
  forUpdate: sql` for update`,
}

/** The same for many rows, with the keys of those that were new. */
export const insertAllSql = (insert: InsertAll): SQL =>
  sql`${insertSelect(insert)} on conflict (${sql.join(
    insert.target.map((column) => bare(column)),
    sql`, `,
  )}) do nothing returning ${bare(insert.key)} as "key"`

/** `ON CONFLICT` with its target, so that any other unique key still fails. */
export const insertNewSql = ({ into, target, values }: InsertNew): SQL =>
  sql`${insertInto(into, values)} on conflict (${sql.join(
    target.map((column) => bare(column)),
    sql`, `,
  )}) do nothing returning 1`
