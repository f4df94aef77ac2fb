import { StoreError, type SessionSummary, type Store } from '@daybook/core'
import type { ListSessionsRequest, ListSessionsResponse } from '@google/adk'

export type SessionPage = Omit<ListSessionsResponse, 'sessions'> & { readonly rows: readonly SessionSummary[] }

/** A page of sessions by number, as ADK counts them: without a limit all of them are one page. */
export async function sessionPage(store: Store, request: ListSessionsRequest): Promise<SessionPage> {
  const { appName, userId, limit, page, offset = 0 } = request
  const filter = { appName, ...(userId !== undefined && { userId }) }
  if (limit === undefined) {
    const rows = await rowsOf(store, request, { limit: Infinity, offset })
    // What was skipped was not counted by reading it.
    const totalItems = offset === 0 ? rows.length : await store.sessions.count(filter)
    return { rows, page: 1, limit: totalItems, totalItems, totalPages: totalItems === 0 ? 0 : 1 }
  }
  if (page !== undefined && !(Number.isInteger(page) && page >= 1))
    throw new StoreError('invalid_argument', 'page must be a whole number from 1', { field: 'page' })
  const skipped = page === undefined ? offset : (page - 1) * limit
  const [rows, totalItems] = await Promise.all([
    rowsOf(store, request, { limit, offset: skipped }),
    store.sessions.count(filter),
  ])
  return {
    rows,
    page: page ?? (limit === 0 ? 1 : Math.floor(skipped / limit) + 1),
    limit,
    totalItems,
    totalPages: limit === 0 ? 0 : Math.ceil(totalItems / limit),
  }
}

/** Rows of a list, however many pages of the store they are. */
async function rowsOf(
  { sessions, limits }: Store,
  { appName, userId, order = 'desc' }: ListSessionsRequest,
  { limit, offset }: { limit: number; offset: number },
): Promise<SessionSummary[]> {
  const query = { appName, ...(userId !== undefined && { userId }), direction: order, state: true }
  const rows: SessionSummary[] = []
  let cursor: string | undefined
  do {
    const found = await sessions.list({
      ...query,
      limit: Math.min(limit - rows.length, limits.pageMax),
      ...(cursor === undefined ? { offset } : { cursor }),
    })
    rows.push(...found.items)
    cursor = found.nextCursor
  } while (cursor !== undefined && rows.length < limit)
  return rows
}
