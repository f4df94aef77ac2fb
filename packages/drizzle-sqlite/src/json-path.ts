import type { StatePath } from '@daybook/core'
import type { JsonAt, JsonPaths } from '@daybook/drizzle'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'

/** How SQLite looks into JSON text. */
export const jsonPaths: JsonPaths = {
  at(column, path, bind) {
    if (path.every((segment) => typeof segment === 'number' || isPlain(segment))) {
      const place = bind(jsonPath(path))
      return typed(
        { type: sql`json_type(${column}, ${place})`, value: sql`json_extract(${column}, ${place})` },
        sql`json_each(${column}, ${place}) as element`,
      )
    }
    // What a path cannot name in every version is found step by step.
    const steps = path.map((_, i) => sql.raw(`step${i}`))
    const sources = steps.map(
      (step, i) => sql`json_each(${i === 0 ? column : container(sql.raw(`step${i - 1}`))}) as ${step}`,
    )
    const keys = steps.map((step, i) => sql`${step}.key = ${bind(path[i] ?? 0)}`)
    const from = sql`${sql.join(sources, sql`, `)}`
    const where = sql.join(keys, sql` and `)
    const last = sql.raw(`step${path.length - 1}`)
    const found = (member: string) => sql`(select ${last}.${sql.raw(member)} from ${from} where ${where})`
    return typed(
      { type: found('type'), value: found('atom') },
      sql`${from}, json_each(${container(last)}) as element`,
      where,
    )
  },
  string: (text) => sql`${text}`,
  // Read by the same parser as the numbers in the document.
  number: (text) => sql`json_extract(${text}, '$')`,
  boolean: (value) => (value ? sql`1` : sql`0`),
  indexKey: (text) => sql`${text}`,
}

/** Named by a path in every version of SQLite, which differ in quotes, escapes and the empty key. */
export const isPlain = (key: string) => key !== '' && !/["\\\u0000-\u001f\u007f]/.test(key)

const jsonPath = (path: StatePath) =>
  `$${path.map((segment) => (typeof segment === 'number' ? `[${segment}]` : `."${segment}"`)).join('')}`

/** The JSON of a step that has something in it; the text of a string would be taken for JSON. */
const container = (step: SQL) => sql`case when ${step}.type in ('object', 'array') then ${step}.value end`

interface Found {
  readonly type: SQL
  /** As SQL has it: text of a string, a number, 1 and 0. */
  readonly value: SQL
}

function typed({ type, value }: Found, elements?: SQLWrapper, where: SQL = sql`1 = 1`): JsonAt {
  return {
    exists: sql`${type} is not null`,
    isNull: sql`${type} = 'null'`,
    string: sql`case ${type} when 'text' then ${value} end`,
    number: sql`case when ${type} in ('integer', 'real') then ${value} end`,
    boolean: sql`case ${type} when 'true' then 1 when 'false' then 0 end`,
    someElement(test) {
      if (elements === undefined) return sql`1 = 0` // elements are scalars or have no elements that are looked at
      const element = typed({ type: sql`element.type`, value: sql`element.atom` })
      return sql`exists (select 1 from ${elements} where ${where} and ${type} = 'array' and ${test(element)})`
    },
  }
}
