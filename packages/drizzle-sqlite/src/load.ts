import {
  remembered,
  selected,
  type LoadShape,
  type Params,
  type Part,
  type Row,
  type Statement,
} from '@daybook/drizzle'
import { sql } from 'drizzle-orm'

// A page of events as one row: its payloads in one text cost the driver and the parser less than a text each. What that is not for, a
// payload that is large or no object, is read row by row.

/** So many events at most, of so many bytes each, go into one text. */
const most = { events: 200, bytes: 64 * 1024 }

const list = remembered(({ columns, from }: Part): Statement => {
  const [seq, eventId, payload] = ['seq', 'eventId', 'payload'].map((name) => sql`e.${sql.identifier(name)}`)
  const isSmall = sql`length(cast(${payload} as blob)) <= ${sql.raw(String(most.bytes))}`
  return {
    sql: sql`select json_group_array(${seq}) as "seqs", json_group_array(${eventId}) as "eventIds", '[' || group_concat(case when ${isSmall} then ${payload} end) || ']' as "payloads" from (select ${selected(columns)} ${from}) as e`,
  }
})

/** The events of a page as one row, for {@link eventsListed}; `undefined` where they may be too many for that. */
export function eventList({ events }: LoadShape, { limit }: Params): Statement | undefined {
  return events !== undefined && typeof limit === 'number' && limit <= most.events ? list(events) : undefined
}

/** The events of such a row as rows; `undefined`: they have to be read as such. */
export function eventsListed([row]: readonly Row[]): readonly Row[] | undefined {
  const [seqs, eventIds] = [listIn(row?.['seqs']), listIn(row?.['eventIds'])]
  if (seqs?.length === 0) return []
  const payloads = listIn(row?.['payloads'])
  if (seqs === undefined || payloads?.length !== seqs.length || !payloads.every(isObject)) return undefined
  return payloads.map((payload, i) => ({ seq: seqs[i], eventId: eventIds?.[i], payload }))
}

const isObject = (value: unknown) => typeof value === 'object' && value !== null

function listIn(text: unknown): readonly unknown[] | undefined {
  try {
    const found: unknown = JSON.parse(String(text))
    return Array.isArray(found) ? found : undefined
  } catch {
    return undefined // a payload that is no JSON, which who reads it by itself can name
  }
}
