import { remembered, type Params, type Part, type Row, type Statement } from '@daybook/drizzle'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import { rowOf } from './connection.ts'

// Many rows as one row of few texts: each value that libSQL hands over costs more than to read it out of a text, through the client
// several times as much. What that is not for, a document that is large or is not what was written, is read row by row.

/** So many rows with documents at most, of so many bytes each. */
const most = { rows: 201, bytes: 64 * 1024 }

/** What stands between documents, and for one: no JSON has these characters as they are. */
const [between, tooLarge, none] = ['\u001f', '\u001e', '\u001d']

export interface ListedRows {
  readonly statement: Statement
  /** `undefined`: they have to be read as such. */
  readonly rowsIn: (row: Row | undefined) => readonly Row[] | undefined
}

/**
 * The rows of a SELECT as one; `undefined` for one that does not say that it can be had so, or may have too many.
 *
 * @param withDocuments the binding by itself hands over a long text faster than it can be cut out of a longer one
 */
export function listedRows(statement: Statement, { limit }: Params, withDocuments: boolean): ListedRows | undefined {
  const { listed } = statement
  if (listed === undefined || typeof limit !== 'number') return undefined
  return listed.documents.length > 0 && (!withDocuments || limit > most.rows) ? undefined : listing(statement)
}

export interface PackedColumns {
  readonly columns: Readonly<Record<string, SQLWrapper>>
  /** The row that such a one stands for. */
  readonly rowIn: (row: Row) => Row
}

/** The columns of a SELECT of one row, those that hold no documents as one. */
export const packedColumns = remembered(({ columns, listed }: Part): PackedColumns => {
  if (listed === undefined) return { columns, rowIn: (row) => row }
  const { plain, documents } = listed
  const values = plain.map((name) => columns[name] ?? sql`null`)
  const others = documents.map((name): [string, SQLWrapper] => [name, columns[name] ?? sql`null`])
  return {
    columns: { plain: sql`json_array(${sql.join(values, sql`, `)})`, ...Object.fromEntries(others) },
    rowIn(row) {
      const found = JSON.parse(String(row['plain'])) as readonly unknown[] // as the statement says
      const own = rowOf(plain, found)
      for (const name of documents) own[name] = row[name]
      return own
    },
  }
})

const listing = remembered((statement: Statement): ListedRows => {
  const { plain = [], documents = [] } = statement.listed ?? {}
  const values = plain.map((name) => sql.identifier(name))
  const texts = documents.map((name) => sql`, group_concat(${textOf(name)}, char(31)) as ${sql.identifier(name)}`)
  return {
    statement: {
      sql: sql`select json_group_array(json_array(${sql.join(values, sql`, `)})) as "rows"${sql.join(texts)} from (${statement.sql})`,
    },
    rowsIn(row) {
      const list: unknown = JSON.parse(String(row?.['rows']))
      if (!Array.isArray(list)) return undefined
      const rows = (list as readonly unknown[][]).map((found) => rowOf(plain, found)) // as the statement says
      return rows.length === 0
        ? rows
        : documents.every((name) => addTo(rows, name, String(row?.[name])))
          ? rows
          : undefined
    },
  }
})

function textOf(name: string): SQL {
  const text = sql.identifier(name)
  return sql`case when ${text} is null then char(29) when length(cast(${text} as blob)) <= ${sql.raw(String(most.bytes))} then ${text} else char(30) end`
}

/** Whether each row has got its document. */
function addTo(rows: readonly Record<string, unknown>[], name: string, list: string): boolean {
  const texts = list.split(between)
  for (const [i, row] of rows.entries()) row[name] = texts[i] === none ? null : texts[i]
  return texts.length === rows.length && !texts.includes(tooLarge)
}
