import type {
  AgentEvent,
  LoadedSession,
  Memory,
  MemoryScope,
  Metric,
  MetricQuery,
  Page,
  Session,
  SessionKey,
  SessionQuery,
  SessionSummary,
  Store,
  StoredEvent,
} from '@daybook/core'
import type { Ctx } from './context.ts'
import { equal, holds, present } from './expect.ts'

/** How many numbers an embedding has in the suite: a store that says `yes` to `vectorSearch` is opened with it. */
export const embeddingDimensions = 4

export const keyOf = (ctx: Ctx, sessionId = 's1', userId = 'ann', appName: string = ctx.app): SessionKey => ({
  appName,
  userId,
  sessionId,
})

export const newSession = (
  ctx: Ctx,
  sessionId = 's1',
  state: Record<string, unknown> = {},
  userId = 'ann',
): Promise<Session> => ctx.store.sessions.create({ ...keyOf(ctx, sessionId, userId), state })

/** An event of which everything is given, so that it can be compared and repeated. */
export const say = (
  id: string,
  text: string = id,
  more: AgentEvent = {},
): AgentEvent & { id: string; timestamp: number } => ({
  author: 'user',
  content: { parts: [{ text }] },
  timestamp: 1_700_000_000_000,
  ...more,
  id,
})

/** Events `e1` … `en`, one millisecond apart. */
export const someEvents = (count: number, prefix = 'e'): (AgentEvent & { id: string; timestamp: number })[] =>
  Array.from({ length: count }, (_, i) =>
    say(`${prefix}${i + 1}`, `text ${i + 1}`, { timestamp: 1_700_000_000_000 + i }),
  )

export const numbers = (count: number, from = 1): number[] => Array.from({ length: count }, (_, i) => from + i)

/** Every item of a list, page by page. Held on the way: a cursor is followed by something, and the walk ends. */
export async function walk<T>(page: (cursor: string | undefined) => Promise<Page<T>>, what: string): Promise<T[]> {
  const items: T[] = []
  const seen = new Set<string>()
  let cursor: string | undefined
  do {
    const { items: some, nextCursor } = await page(cursor)
    holds(cursor === undefined || some.length > 0, `${what}: no page after a cursor is empty`, 'an empty page')
    items.push(...some)
    holds(
      nextCursor === undefined || !seen.has(nextCursor),
      `${what}: the walk goes forward`,
      `the cursor ${nextCursor} twice`,
    )
    if (nextCursor !== undefined) seen.add(nextCursor)
    cursor = nextCursor
  } while (cursor !== undefined)
  return items
}

export const walkSessions = (store: Store, query: SessionQuery): Promise<SessionSummary[]> =>
  walk((cursor) => store.sessions.list(cursor === undefined ? query : { ...query, cursor }), 'sessions.list')

export const walkEvents = (store: Store, key: SessionKey, limit = 200): Promise<StoredEvent[]> =>
  walk((cursor) => store.events.list(key, cursor === undefined ? { limit } : { limit, cursor }), 'events.list')

export const walkMemories = (store: Store, scope: MemoryScope): Promise<Memory[]> =>
  walk((cursor) => store.memories.list(cursor === undefined ? scope : { ...scope, cursor }), 'memories.list')

export const walkMetrics = (store: Store, query: MetricQuery): Promise<Metric[]> =>
  walk((cursor) => store.metrics.query(cursor === undefined ? query : { ...query, cursor }), 'metrics.query')

/** Memories of the app, and of those users who have a session, or whom the checks name like that. */
async function memoriesOf(store: Store, appName: string, users: readonly string[]): Promise<unknown> {
  if (store.capabilities.memories === 'no') return []
  const scopes = [{ appName }, ...new Set(['ann', 'bob', ...users])].map((one) =>
    typeof one === 'string' ? { appName, userId: one } : one,
  )
  return (await Promise.all(scopes.map((scope) => walkMemories(store, scope)))).flat()
}

/** Everything that can be read of one app: what "nothing was written" is compared by. */
export async function snapshot(store: Store, appName: string): Promise<unknown> {
  const sessions = await walkSessions(store, { appName, orderBy: 'createdAt', direction: 'asc', state: true })
  const events: Record<string, unknown> = {}
  for (const session of sessions) events[`${session.userId}/${session.sessionId}`] = await walkEvents(store, session)
  const users = [...new Set(sessions.map(({ userId }) => userId))]
  const userStates = await Promise.all(users.map((userId) => store.state.get({ appName, userId })))
  const memories = await memoriesOf(store, appName, users)
  const artifacts = await artifactsOf(store, appName, sessions)
  const metrics = await metricsOf(store, appName)
  return { sessions, events, appState: await store.state.get({ appName }), userStates, memories, artifacts, metrics }
}

const metricsOf = async (store: Store, appName: string): Promise<readonly Metric[]> =>
  store.capabilities.metrics === 'yes' ? walkMetrics(store, { appName }) : []

/** What there is of artifacts, but for their bytes, of which the sums tell. */
async function artifactsOf(store: Store, appName: string, sessions: readonly SessionSummary[]): Promise<unknown> {
  if (store.capabilities.artifacts === 'no') return []
  const keys = [...sessions, { appName, userId: 'ann', sessionId: 's1' }]
  const listed = await Promise.all(
    keys.map(({ userId, sessionId }) =>
      walk(
        (cursor) => store.artifacts.list({ appName, userId, sessionId, ...(cursor !== undefined && { cursor }) }),
        'artifacts.list',
      ),
    ),
  )
  return listed.flat()
}

async function facts(ctx: Ctx, appName: string): Promise<unknown> {
  const { oracle } = ctx.place
  const { artifacts, memories, metrics } = ctx.store.capabilities
  const kept = artifacts === 'yes' ? (['artifacts', 'artifactVersions', 'artifactChunks'] as const) : []
  const areas = [
    'sessions',
    'events',
    'appStates',
    'userStates',
    ...(memories === 'yes' ? (['memories'] as const) : []),
    ...(metrics === 'yes' ? (['metrics'] as const) : []),
    ...kept,
  ] as const
  const counted = oracle === undefined ? [] : await Promise.all(areas.map((area) => oracle.count(area, appName)))
  return { read: await snapshot(ctx.other, appName), counted }
}

/** The body writes nothing to the app: by another open, and by the oracle where there is one. */
export async function nothingWritten(
  ctx: Ctx,
  body: () => Promise<unknown>,
  what: string,
  appName: string = ctx.app,
): Promise<void> {
  const before = await facts(ctx, appName)
  await body()
  equal(await facts(ctx, appName), before, `${what}: nothing is written`)
}

/** The session as the other open reads it, with all events. */
export function loaded(ctx: Ctx, key: SessionKey = keyOf(ctx)): Promise<LoadedSession> {
  return loadedBy(ctx.other, key)
}

async function loadedBy(store: Store, key: SessionKey): Promise<LoadedSession> {
  return present(await store.sessions.get(key, { events: 'all' }), `session ${key.sessionId} is there`)
}

export const idsOf = (events: readonly StoredEvent[]): string[] => events.map(({ event }) => event.id)
export const seqsOf = (events: readonly StoredEvent[]): number[] => events.map(({ seq }) => seq)
export const sessionIdsOf = (sessions: readonly SessionSummary[]): string[] =>
  sessions.map(({ sessionId }) => sessionId)

/** A clock that says what it is told, then goes on by a millisecond with each look. */
export function tickingClock(start: number): { now: () => number; set(time: number): void } {
  let time = start
  return { now: () => time++, set: (next) => (time = next) }
}

/** An argument that the types forbid, where that is what is tried. */
export const wrong = (value: unknown): never => value as never // nothing else says so of any type
