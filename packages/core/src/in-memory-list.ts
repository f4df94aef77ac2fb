import type { Position } from './cursor.ts'
import type { SessionRow } from './in-memory-database.ts'
import type { SessionListRequest } from './list-request.ts'
import type { SessionSummary } from './sessions.ts'
import { fromMicros, toMicros } from './time.ts'

export const summaryOf = ({
  appName,
  userId,
  sessionId,
  revision,
  events,
  createdAt,
  updatedAt,
  lastEventAt,
}: SessionRow): Omit<SessionSummary, 'state'> => ({
  appName,
  userId,
  sessionId,
  revision,
  lastSeq: events.length,
  createdAt,
  updatedAt,
  lastEventAt,
})

type SortKey = readonly [time: number, sessionId: string, userId: string]

export const positionOf =
  ({ orderBy }: SessionListRequest) =>
  (row: SessionRow): Position => [String(toMicros(row[orderBy])), row.sessionId, row.userId]

/** The rows of a page and one more, if there is one. */
export function inOrder(
  rows: readonly SessionRow[],
  { orderBy, direction, position, offset, limit }: SessionListRequest,
): SessionRow[] {
  const keyed = rows.map((row): readonly [SortKey, SessionRow] => [[row[orderBy], row.sessionId, row.userId], row])
  const [micros = 0, sessionId = '', userId = ''] = position ?? []
  const last: SortKey = [fromMicros(BigInt(micros)), String(sessionId), String(userId)]
  const compare = direction === 'asc' ? ascending : descending
  return keyed
    .filter(([key]) => position === undefined || compare(key, last) > 0)
    .toSorted(([a], [b]) => compare(a, b))
    .slice(offset, offset + limit + 1)
    .map(([, row]) => row)
}

/** Ties are in ascending order of the ids in either direction. */
const ascending = (a: SortKey, b: SortKey): number => a[0] - b[0] || compareText(a[1], b[1]) || compareText(a[2], b[2])
const descending = (a: SortKey, b: SortKey): number => b[0] - a[0] || compareText(a[1], b[1]) || compareText(a[2], b[2])

/** By code point, as the bytes of UTF-8 compare; `<` compares UTF-16 units, where U+1F600 precedes U+FFFD. */
export const compareText = (a: string, b: string): number =>
  a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b))
