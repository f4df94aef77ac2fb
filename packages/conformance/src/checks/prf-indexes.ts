import type { Ctx } from '../context.ts'
import type { SentStatement } from '../define.ts'
import { equal, holds, present } from '../expect.ts'
import { observed, withoutControl } from '../whitebox.ts'
import { bigApp, isFault, plansOf, hotCalls, artifactCalls, type Call } from './prf-big-app.ts'

export async function hotPathUsesIndexes(ctx: Ctx): Promise<void> {
  await walkIndexes(ctx, (big) => hotCalls(big, 'hot'))
}

export const filesUseIndexes = (ctx: Ctx): Promise<void> => walkIndexes(ctx, artifactCalls)

async function walkIndexes(
  ctx: Ctx,
  callsOf: (big: Parameters<typeof hotCalls>[0]) => Record<string, Call>,
): Promise<void> {
  const big = await bigApp(ctx)
  const { store, during } = await observed(ctx)
  for (const [name, call] of Object.entries(callsOf(big))) {
    const sent = await during(() => call(store))
    holds(withoutControl(sent).length > 0, `${name} sends a statement that is heard`, sent)
    const plans = await plansOf(ctx, sent)
    equal(
      plans.flatMap(({ scans }) => scans.filter((scan) => isFault(scan)).map(({ table }) => table)),
      [],
      `${name}: tables read from end to end`,
    )
    holds(
      plans.some(({ indexes }) => indexes.length > 0),
      `${name}: an index is walked`,
      plans,
    )
    for (const { rows = 0, sorts = false } of plans) {
      holds(rows <= 500, `${name}: rows read stay few`, rows)
      // A page whose keys were found first may be put in order once more with its states: that is the page, and no more.
      holds(
        !sorts || /with (?:state|its page)$/.test(name),
        `${name}: rows come in their order, and are not sorted first`,
        plans,
      )
    }
  }
}

/** Goes so far in a list by the largest pages, and answers the cursor there. */
async function cursorAfter(
  count: number,
  page: (limit: number, cursor?: string) => Promise<{ readonly nextCursor: string | undefined }>,
): Promise<string> {
  let cursor: string | undefined
  for (let done = 0; done < count; done += 1000) cursor = (await page(1000, cursor)).nextCursor
  return present(cursor, 'a cursor far into the list')
}

const skipped = ({ text, values }: SentStatement): boolean =>
  /\boffset\b/i.test(text) && (values.some((value) => Number(value) >= 5000) || /\boffset\s+\d{4,}/i.test(text))

export async function latePagesAreCheap(ctx: Ctx): Promise<void> {
  const { appName, long } = await bigApp(ctx)
  const { store, during } = await observed(ctx)
  type List = (limit: number, cursor?: string) => Promise<{ readonly nextCursor: string | undefined }>
  const lists: readonly (readonly [name: string, list: List, far: number])[] = [
    [
      'sessions.list',
      (limit, cursor) =>
        store.sessions.list({ appName, userId: 'ann', limit, ...(cursor !== undefined && { cursor }) }),
      9000,
    ],
    [
      'events.list',
      (limit, cursor) => store.events.list(long, { limit, ...(cursor !== undefined && { cursor }) }),
      9000,
    ],
  ]
  for (const [name, list, far] of lists) {
    const cursor = await cursorAfter(far, list)
    const first = await during(() => list(20))
    const late = await during(() => list(20, cursor))
    equal(
      late.filter((statement) => skipped(statement)),
      [],
      `${name}: statements that skip rows`,
    )
    const rowsOf = async (sent: readonly SentStatement[]) =>
      (await plansOf(ctx, sent)).reduce((sum, { rows = 0 }) => sum + rows, 0)
    const [few, many] = [await rowsOf(first), await rowsOf(late)]
    holds(many <= 3 * few + 50, `${name}: a late page reads about as many rows as the first`, `${few}, then ${many}`)
    const scans = (await plansOf(ctx, late)).flatMap((plan) => plan.scans.filter((scan) => isFault(scan)))
    equal(scans, [], `${name}: tables that a late page reads from end to end`)
  }
}
