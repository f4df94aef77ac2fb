import type { StatePath } from '@daybook/core'
import type { JsonAt, JsonPaths } from '@daybook/drizzle'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import { collations, type Flavour } from './schema.ts'

/** As long as an id: the two fit the key of an index. */
export const indexedCharacters = 191

/** How MySQL and MariaDB look into JSON: by the functions that both have, and mean alike. */
export function jsonPathsFor(flavour: Flavour): JsonPaths {
  const exact = sql.raw(collations[flavour])

  // Whatever a function or the connection compares by, this is bytes.
  const bytes = (expression: SQL): SQL => sql`convert(${expression} using utf8mb4) collate ${exact}`
  const typeOf = (value: SQLWrapper): SQL => bytes(sql`json_type(${value})`)

  const typed = (value: SQLWrapper): JsonAt => ({
    exists: sql`${value} is not null`,
    isNull: sql`${typeOf(value)} = 'NULL'`,
    string: bytes(sql`case when ${typeOf(value)} = 'STRING' then json_unquote(${value}) end`),
    // MySQL tells more kinds of numbers apart than MariaDB.
    number: sql`(case when ${typeOf(value)} in ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') then cast(${value} as double) end)`,
    // Not `= true`: MariaDB has the text of it.
    boolean: sql`(case when ${typeOf(value)} = 'BOOLEAN' then ${bytes(sql`cast(${value} as char)`)} = 'true' end)`,
    // Not JSON_CONTAINS, which also looks into the arrays in an array. Nor EXISTS, which MySQL 9.7 turns into a join that
    // finds other rows.
    someElement: (test): SQL => sql`(
      select count(*) from json_table(case when ${typeOf(value)} = 'ARRAY' then ${value} end, '$[*]' columns (value json path '$')) as element
      where ${test(element)}) > 0`,
  })

  // To MySQL an element that is null is NULL as a row.
  const element: JsonAt = {
    ...typed(sql`element.value`),
    isNull: sql`(element.value is null or ${typeOf(sql`element.value`)} = 'NULL')`,
  }

  return {
    at: (column, path, bind) =>
      typed(
        flavour === 'mariadb' && path.some(isDashed)
          ? extracted(withoutDashes(column, path, bind), path.map(renamed), bind, typeOf)
          : extracted(column, path, bind, typeOf),
      ),
    string: (text) => sql`${text}`,
    number: (text) => sql`cast(${text} as double)`,
    boolean: (value) => (value ? sql`1` : sql`0`),
    indexKey: (text) => sql`left(${text}, ${sql.raw(String(indexedCharacters))})`,
    indexed: ({ name }) => sql`${sql.identifier(name)}`,
  }
}

type Bind = Parameters<JsonPaths['at']>[2]

// MariaDB's paths find no key that begins with `-` (10.11 and 11.8). The document is given to them with such keys renamed.
const isDashed = (segment: string | number) => typeof segment === 'string' && segment.startsWith('-')

/** No stored key begins so: U+0001 is a mark there, and stands before U+0002 or U+0003. */
const renamed = (segment: string | number) => (isDashed(segment) ? `\u0001${segment}` : segment)

/** In compact JSON `{"` and `,"` begin a key or a value: a quote inside of a string has a backslash before it. */
function withoutDashes(document: SQLWrapper, path: StatePath, bind: Bind): SQLWrapper {
  const keys = [...new Set(path.filter(isDashed))]
  const pairs = keys.flatMap((key) =>
    ['{', ','].map((start) => [key, renamed(key)].map((one) => `${start}${JSON.stringify(one)}:`)),
  )
  return pairs.reduce<SQLWrapper>(
    (text, [from = '', to = '']) => sql`replace(${text}, ${bind(from)}, ${bind(to)})`,
    sql`json_compact(${document})`,
  )
}

/** What is at a path. */
function extracted(document: SQLWrapper, path: StatePath, bind: Bind, typeOf: (value: SQL) => SQL): SQLWrapper {
  const value = sql`json_extract(${document}, ${bind(jsonPath(path))})`
  // A position finds a scalar or an object itself, as if it were in an array of one.
  const arrays = path.flatMap((segment, i) =>
    typeof segment === 'number'
      ? [sql`${typeOf(sql`json_extract(${document}, ${bind(jsonPath(path.slice(0, i)))})`)} = 'ARRAY'`]
      : [],
  )
  return arrays.length === 0 ? value : sql`(case when ${sql.join(arrays, sql` and `)} then ${value} end)`
}

/** A path in the language of both servers: its keys are strings of JSON. */
const jsonPath = (path: StatePath) =>
  `$${path.map((segment) => (typeof segment === 'number' ? `[${segment}]` : `.${JSON.stringify(segment)}`)).join('')}`
