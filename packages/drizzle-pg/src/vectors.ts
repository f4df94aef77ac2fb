import type { Server, VectorDistance } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'

/** What is known of pgvector in the database, which turns out as the store is opened. */
export interface Vectors {
  /** Absent without it. */
  readonly distance: VectorDistance | undefined
  /** Takes in what the server says about itself. */
  learn(server: Pick<Server, 'settings'>): void
}

/** The schema that pgvector is in, for a column of the probe: named, since it need not be on the search path. NULL: not for this role. */
export const vectorSchema = `(select quote_ident(n.nspname) from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace
  where e.extname = 'vector' and has_schema_privilege(n.oid, 'USAGE'))`

export function createVectors(): Vectors {
  let distance: VectorDistance | undefined
  return {
    get distance() {
      return distance
    },
    learn({ settings: { vector_distance: name = 'none' } }) {
      distance = name === 'none' ? undefined : distanceBy(name)
    },
  }
}

/** @param name of the function, as it stands in SQL */
function distanceBy(name: string): VectorDistance {
  const vector = sql.raw(`${name.slice(0, name.lastIndexOf('.'))}.vector`)
  return {
    value: arrayText,
    // In a subquery, which is computed once: a parameter would be read anew for each row.
    sql: (column, value) =>
      sql`nullif(${sql.raw(name)}(${column}::${vector}, (select ${value}::text::real[]::${vector})), 'NaN')`,
  }
}

/** As a text of `real[]`. Nine digits are enough to tell every float of 32 bits from its neighbours. */
export const arrayText = (numbers: readonly number[]): string =>
  `{${numbers.map((number) => Number(number.toPrecision(9))).join(',')}}`
