import { toStorableText, type CheckedCondition, type IndexedType, type Scalar } from '@daybook/core'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import type { Value } from './dialect.ts'
import type { JsonAt, JsonPaths, StatePathIndex } from './json-path.ts'
import { storablePath } from './path-indexes.ts'
import { param } from './statements.ts'

/** Conditions on state as SQL, with what is bound in it. */
export interface StateFilter {
  /** One condition, which NULL does not meet. */
  readonly sql: SQL
  readonly params: Readonly<Record<string, Value>>
}

type Bind = (value: Value) => SQLWrapper

/** Built anew for each query: paths have too many shapes to be remembered. */
export function stateFilter(
  paths: JsonPaths,
  column: SQLWrapper,
  where: readonly CheckedCondition[],
  indexes: readonly StatePathIndex[],
): StateFilter {
  const params: Record<string, Value> = {}
  let count = 0
  const bind: Bind = (value) => {
    const name = `where${(count += 1)}`
    params[name] = value
    return param(name)
  }
  const conditions = where.map((condition) => {
    const path = storablePath(condition.path)
    const at = paths.at(column, path, bind)
    const indexed = (type: IndexedType) => {
      if (paths.indexed === undefined) return type === 'string' ? paths.indexKey(at.string) : undefined
      const index = indexes.find((one) => one.type === type && JSON.stringify(one.path) === JSON.stringify(path))
      return index && paths.indexed(index)
    }
    return sql`(${met(condition, { at, indexed }, { paths, bind })})`
  })
  return { sql: sql.join(conditions, sql` and `), params }
}

interface Place {
  readonly at: JsonAt
  /** What an index on it holds, for values of a type; the condition is put to it first. */
  readonly indexed: (type: IndexedType) => SQL | undefined
}

interface Binding {
  readonly paths: JsonPaths
  readonly bind: Bind
}

const operators = { eq: sql`=`, ne: sql`<>`, lt: sql`<`, lte: sql`<=`, gt: sql`>`, gte: sql`>=` } as const
type Operator = keyof typeof operators

/** What a key of an index meets where the whole value meets the operator; nothing for `ne`. */
const keyOperators: Partial<Record<Operator, SQL>> = {
  eq: sql`=`,
  lt: sql`<=`,
  lte: sql`<=`,
  gt: sql`>=`,
  gte: sql`>=`,
}

function met(condition: CheckedCondition, place: Place, binding: Binding): SQL {
  switch (condition.op) {
    case 'exists':
      return place.at.exists
    case 'contains':
      return place.at.someElement((at) => compared({ at, indexed: () => undefined }, 'eq', condition.value, binding))
    case 'in':
      return isOneOf(place, condition.values, binding)
    default:
      return compared(place, condition.op, condition.value, binding)
  }
}

/** A value bound, as what is compared and as what an index has of it. */
function boundAs(type: 'string' | 'number', value: string | number, { paths, bind }: Binding) {
  const whole =
    type === 'string' ? paths.string(bind(toStorableText(String(value)))) : paths.number(bind(JSON.stringify(value)))
  return { whole, key: type === 'string' ? paths.indexKey(whole) : whole }
}

/** NULL, and so not met, where the value has another type or is missing. */
function compared({ at, indexed }: Place, op: Operator, value: Scalar, binding: Binding): SQL {
  switch (typeof value) {
    case 'string':
    case 'number': {
      const type = typeof value === 'string' ? 'string' : 'number'
      const { whole, key } = boundAs(type, value, binding)
      const exact = sql`${at[type]} ${operators[op]} ${whole}`
      const keyOperator = keyOperators[op]
      const inIndex = keyOperator && indexed(type)
      return inIndex === undefined ? exact : sql`${inIndex} ${keyOperator} ${key} and ${exact}`
    }
    case 'boolean': {
      const [is, inIndex] = [binding.paths.boolean(value), op === 'eq' ? indexed('boolean') : undefined]
      const exact = sql`${at.boolean} ${operators[op]} ${is}`
      return inIndex === undefined ? exact : sql`${inIndex} = ${is} and ${exact}`
    }
    default:
      return op === 'eq' ? at.isNull : nothing // there is no other null
  }
}

const nothing = sql`1 = 0`

const list = (items: readonly SQLWrapper[]) => sql`(${sql.join([...items], sql`, `)})`

/** One list for each type, so that it is one comparison where all values are of one. */
function isOneOf(place: Place, values: readonly Scalar[], binding: Binding): SQL {
  const { at, indexed } = place
  const ofType = (type: 'string' | 'number') => {
    const given = values.filter((value) => typeof value === 'string' || typeof value === 'number')
    const items = given.filter((value) => typeof value === type).map((value) => boundAs(type, value, binding))
    if (items.length === 0) return []
    const exact = sql`${at[type]} in ${list(items.map(({ whole }) => whole))}`
    const inIndex = indexed(type)
    return [inIndex === undefined ? exact : sql`(${inIndex} in ${list(items.map(({ key }) => key))} and ${exact})`]
  }
  const rest = new Set(values.filter((value) => value === null || typeof value === 'boolean'))
  const parts = [
    ...ofType('string'),
    ...ofType('number'),
    ...[...rest].map((value) => sql`(${compared(place, 'eq', value, binding)})`),
  ]
  return parts.length === 0 ? nothing : sql`(${sql.join(parts, sql` or `)})`
}
