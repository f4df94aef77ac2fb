import { selected, type Loaded, type LoadShape, type Row, type Statement } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'

/**
 * The session and its events in one statement, which is one view, as rows of three columns: of the session a row for each of its columns,
 * then one for each event, in the order of its own columns. What is one JSON text instead takes the server twice as long to write where the events are many.
 * Texts, of columns that are NOT NULL, do not share a column with documents: what makes a value of a document's type is not meant for ids.
 * Nothing is sorted that comes from the index in its order.
 */
export function buildLoad({ session, events }: LoadShape): Statement {
  if (events === undefined) return session
  const { documents = [] } = session.listed ?? {}
  const values = Object.keys(session.columns).map((alias) => {
    const value = sql`s.${sql.identifier(alias)}`
    return documents.includes(alias)
      ? sql`(${sql.raw(`'${alias}'`)}, ${value})`
      : sql`(${sql.raw(`'${alias}=`)}' || ${value}::text, null)`
  })
  return {
    sql: sql`select null::bigint as "seq", one.text as "text", one.document as "document"
      from (${session.sql}) as s cross join lateral (values ${sql.join(values, sql`, `)}) as one (text, document)
      union all (select ${selected(events.columns)} ${events.from})`,
  }
}

export function loadedBy({ events: wanted }: LoadShape, rows: readonly Row[]): Loaded | undefined {
  const [first] = rows
  if (first === undefined) return undefined
  if (wanted === undefined) return { session: first, events: [] }
  const session: Record<string, unknown> = {}
  const events: Row[] = []
  for (const { seq, text, document } of rows) {
    if (seq !== null) {
      events.push({ seq: Number(seq), eventId: text, payload: document })
      continue
    }
    const [alias = '', ...parts] = String(text).split('=')
    session[alias] = parts.length === 0 ? document : parts.join('=')
  }
  return { session, events: events.toSorted((a, b) => Number(a['seq']) - Number(b['seq'])) }
}
