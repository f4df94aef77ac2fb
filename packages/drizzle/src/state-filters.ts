import { toStorableText, type CheckedCondition, type Scalar, type StatePath } from '@daybook/core'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import type { JsonAt, JsonPaths, Value } from './dialect.ts'
import { param } from './statements.ts'

/** Conditions on state as SQL, with what is bound in it. */
export interface StateFilter {
  /** One condition, which NULL does not meet. */
  readonly sql: SQL
  readonly params: Readonly<Record<string, Value>>
}

/** Built anew for each query: paths have too many shapes to be remembered. */
export function stateFilter(paths: JsonPaths, column: SQLWrapper, where: readonly CheckedCondition[]): StateFilter {
  const params: Record<string, Value> = {}
  let count = 0
  const bind = (value: Value): SQLWrapper => {
    const name = `where${(count += 1)}`
    params[name] = value
    return param(name)
  }
  const conditions = where.map((condition) => {
    const at = paths.at(column, storable(condition.path), bind)
    return sql`(${met(condition, at, { paths, bind })})`
  })
  return { sql: sql.join(conditions, sql` and `), params }
}

const storable = (path: StatePath): StatePath =>
  path.map((segment) => (typeof segment === 'string' ? toStorableText(segment) : segment))

interface Binding {
  readonly paths: JsonPaths
  readonly bind: (value: Value) => SQLWrapper
}

const operators = { eq: sql`=`, ne: sql`<>`, lt: sql`<`, lte: sql`<=`, gt: sql`>`, gte: sql`>=` } as const

function met(condition: CheckedCondition, at: JsonAt, binding: Binding): SQL {
  switch (condition.op) {
    case 'exists':
      return at.exists
    case 'contains':
      return at.someElement((element) => compared(element, 'eq', condition.value, binding))
    case 'in':
      return isOneOf(at, condition.values, binding)
    default:
      return compared(at, condition.op, condition.value, binding)
  }
}

/** NULL, and so not met, where the value has another type or is missing. */
function compared(at: JsonAt, op: keyof typeof operators, value: Scalar, { paths, bind }: Binding): SQL {
  switch (typeof value) {
    case 'string':
      return sql`${at.string} ${operators[op]} ${paths.string(bind(toStorableText(value)))}`
    case 'number':
      return sql`${at.number} ${operators[op]} ${paths.number(bind(JSON.stringify(value)))}`
    case 'boolean':
      return sql`${at.boolean} ${operators[op]} ${paths.boolean(value)}`
    default:
      return op === 'eq' ? at.isNull : nothing // there is no other null
  }
}

const nothing = sql`1 = 0`

const list = (items: readonly SQL[]) => sql`(${sql.join([...items], sql`, `)})`

/** One list for each type, so that it is one comparison where all values are of one. */
function isOneOf(at: JsonAt, values: readonly Scalar[], { paths, bind }: Binding): SQL {
  const texts = values.filter((value) => typeof value === 'string')
  const numbers = values.filter((value) => typeof value === 'number')
  const rest = new Set(values.filter((value) => value === null || typeof value === 'boolean'))
  const parts = [
    ...(texts.length === 0
      ? []
      : [sql`${at.string} in ${list(texts.map((text) => paths.string(bind(toStorableText(text)))))}`]),
    ...(numbers.length === 0
      ? []
      : [sql`${at.number} in ${list(numbers.map((number) => paths.number(bind(JSON.stringify(number)))))}`]),
    ...[...rest].map((value) => compared(at, 'eq', value, { paths, bind })),
  ]
  return parts.length === 0 ? nothing : sql`(${sql.join(parts, sql` or `)})`
}
