import type { StatePath } from '@daybook/core'
import type { JsonAt, JsonPaths } from '@daybook/drizzle'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'

/** An entry of an index has 2,704 bytes, of which the id of an app takes up to 512, and these up to 800. */
const indexedCharacters = 200

/** How PostgreSQL looks into JSONB. */
export const jsonPaths: JsonPaths = {
  at: (column, path, bind) =>
    typed(
      path.every((segment) => typeof segment === 'string')
        ? path.reduce((value: SQLWrapper, key) => sql`(${value} -> ${bind(key)}::text)`, column)
        : // `-> 0` of a scalar is the scalar itself, and #> takes a key for a position; `strict` does neither.
          sql`jsonb_path_query_first(${column}, ${bind(jsonPath(path))}::text::jsonpath, '{}', true)`,
    ),
  string: (text) => sql`${text}::text`,
  number: (text) => sql`${text}::text::numeric`,
  boolean: (value) => (value ? sql`true` : sql`false`),
  indexKey: (text) => sql`left(${text}, ${sql.raw(String(indexedCharacters))})`,
}

/** A path as the SQL/JSON path language writes it: its strings are those of JSON. */
const jsonPath = (path: StatePath) =>
  `strict $${path.map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${JSON.stringify(segment)}`)).join('')}`

const typed = (value: SQLWrapper): JsonAt => ({
  exists: sql`${value} is not null`,
  isNull: sql`${value} = 'null'::jsonb`,
  string: sql`(case when jsonb_typeof(${value}) = 'string' then ${value} #>> '{}' end) collate "C"`,
  number: sql`(case when jsonb_typeof(${value}) = 'number' then (${value})::numeric end)`,
  boolean: sql`(case when jsonb_typeof(${value}) = 'boolean' then (${value})::boolean end)`,
  someElement: (test): SQL => sql`exists (
    select 1 from jsonb_array_elements(case when jsonb_typeof(${value}) = 'array' then ${value} end) as element(value)
    where ${test(typed(sql`element.value`))})`,
})
