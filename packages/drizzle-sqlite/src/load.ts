import { bare, param, remembered, selected } from '@daybook/drizzle'
import type { LoadShape, Params, Part, Row, Statement } from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import type { PackedColumns } from './listed-rows.ts'
import type { DaybookTables } from './schema.ts'

// A session and a page of its events as one row: to the driver and the parser the payloads in one text cost less than a text each. What
// that is not for, a payload that is large or is not what was written, is read row by row.

/** So many events at most, of so many bytes each, go into one text. */
const most = { events: 200, bytes: 64 * 1024 }

export interface SessionPages {
  /** The session with a page of its events as one row; `undefined` where they may be too many for that. */
  statement(shape: LoadShape, params: Params): Statement | undefined
  /** The session alone, as one row. */
  alone(shape: LoadShape): Statement
  /** The session of such a row. */
  session(row: Row, shape: LoadShape): Row
  /** The events that came with it as rows; `undefined`: they have to be read as such. */
  events(row: Row, session: Row, params: Params, shape: LoadShape): readonly Row[] | undefined
}

/** @param columnsOf where each column costs, as few as can be */
export function createSessionPages(
  { sessions, events }: DaybookTables,
  columnsOf: (session: Part) => PackedColumns = asTheyAre,
): SessionPages {
  const e = sql.identifier('e')

  /** The newest are found by their places, which have no gaps: that takes a third less than a LIMIT that is bound. */
  const newest = remembered(({ session }: LoadShape): Statement => {
    const [sid, seq, payload] = [events.sid, events.seq, events.payload].map((column) => sql`${e}.${bare(column)}`)
    const own = sql`select ${seq}, ${payload} from ${events} as ${e} where ${sid} = ${sessions.sid} and ${seq} > ${sessions.lastSeq} - ${param('limit')} order by ${seq}`
    return withPage(
      columnsOf(session).columns,
      session,
      sql`select '[' || group_concat(${small(payload)}) || ']' from (${own}) as ${e}`,
    )
  })

  /** Any page, newest or oldest first as it is asked for: how many there are, and each after its place. */
  const any = remembered(({ session, events: page, isEncoded }: LoadShape): Statement | undefined => {
    if (page === undefined) return undefined
    const [seq, eventId, payload] = ['seq', 'eventId', 'payload'].map((name) => sql`${e}.${sql.identifier(name)}`)
    const id = isEncoded ? sql` || ',' || json_quote(${eventId})` : sql``
    const list = sql`'[' || count(*) || ',' || group_concat(${seq}${id} || ',' || ${small(payload)}) || ']'`
    const rows = sql`select ${selected(page.columns)} ${page.from}`
    return withPage(
      columnsOf(session).columns,
      session,
      sql`select case when count(*) = 0 then '[0]' else ${list} end from (${rows}) as ${e}`,
    )
  })

  return {
    statement(shape, { limit }) {
      if (typeof limit !== 'number' || limit > most.events) return undefined
      return isOfNewest(shape) ? newest(shape) : any(shape)
    },
    alone: remembered(({ session }: LoadShape): Statement => ({
      sql: sql`select ${selected(columnsOf(session).columns)} ${session.from}`,
    })),
    session: (row, shape) => columnsOf(shape.session).rowIn(row),
    events({ page }, { lastSeq }, { limit }, shape) {
      if (!isOfNewest(shape)) return placedEvents(listIn(page), shape.isEncoded)
      const count = Math.min(Number(limit), Number(lastSeq))
      return count === 0 ? [] : newestEvents(listIn(page), Number(lastSeq) - count, count)
    },
  }
}

/** Whether the page is read by its places: one that a codec wrote does not say its ids. */
const isOfNewest = ({ isNewest, isEncoded }: LoadShape) => isNewest && !isEncoded

const small = (payload: SQL | undefined) =>
  sql`case when length(cast(${payload} as blob)) <= ${sql.raw(String(most.bytes))} then ${payload} end`

const asTheyAre = remembered(({ columns }: Part): PackedColumns => ({ columns, rowIn: (row) => row }))

const withPage = (columns: PackedColumns['columns'], { from }: Part, page: SQL): Statement => ({
  sql: sql`select ${selected(columns)}, (${page}) as "page" ${from}`,
})

/** Where one is missing, the others are not in the places that follow. */
function newestEvents(list: readonly unknown[] | undefined, before: number, count: number): readonly Row[] | undefined {
  if (list?.length !== count) return undefined
  const rows: Row[] = []
  for (const payload of list) {
    const eventId = idOf(payload)
    if (eventId === undefined) return undefined
    rows.push({ seq: before + rows.length + 1, eventId, payload })
  }
  return rows
}

function placedEvents(list: readonly unknown[] | undefined, isEncoded: boolean): readonly Row[] | undefined {
  const width = isEncoded ? 3 : 2
  if (list === undefined || list.length - 1 !== Number(list[0]) * width) return undefined
  const rows: Row[] = []
  for (let i = 1; i < list.length; i += width) {
    const [seq, payload] = [list[i], list[i + width - 1]]
    const eventId = isEncoded && typeof payload === 'object' ? list[i + 1] : idOf(payload)
    if (typeof seq !== 'number' || typeof eventId !== 'string') return undefined
    rows.push({ seq, eventId, payload })
  }
  return rows
}

/** An event says its own id, unless a codec wrote it. */
function idOf(payload: unknown): string | undefined {
  const id = typeof payload === 'object' && payload !== null && 'id' in payload ? payload.id : undefined
  return typeof id === 'string' ? id : undefined
}

function listIn(text: unknown): readonly unknown[] | undefined {
  try {
    const found: unknown = JSON.parse(String(text))
    return Array.isArray(found) ? found : undefined
  } catch {
    return undefined // a payload that is no JSON, which who reads it by itself can name
  }
}
