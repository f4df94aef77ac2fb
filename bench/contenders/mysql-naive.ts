// Ordinary, careful Drizzle: the builder, a transaction, rows locked before they are changed.
import { sessions, events, userStates, appStates, metrics } from '@daybook/drizzle-mysql/schema'
import { and, asc, desc, eq, getTableColumns } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/mysql2'
import { createPool } from 'mysql2'
import type { Entry, Key } from '../contender.ts'
import { deltaOf } from './delta.ts'
import { merged } from './merged.ts'
import { valuesOf } from './metric-columns.ts'
import { makeTables, mysqlBulk } from './mysql-tables.ts'

const isSession = ({ appName, userId, sessionId }: Key) =>
  and(eq(sessions.appName, appName), eq(sessions.userId, userId), eq(sessions.sessionId, sessionId))
const isUser = ({ appName, userId }: Omit<Key, 'sessionId'>) =>
  and(eq(userStates.appName, appName), eq(userStates.userId, userId))

export const mysqlNaive: Entry = {
  name: 'drizzle-naive',
  driver: 'mysql2',
  async open({ url, pool }) {
    await makeTables(url)
    const client = createPool({ uri: url, connectionLimit: pool })
    const db = drizzle({ client })
    async function scopes(key: Omit<Key, 'sessionId'>) {
      const [user] = await db.select().from(userStates).where(isUser(key))
      const [app] = await db.select().from(appStates).where(eq(appStates.appName, key.appName))
      return { user: user?.state ?? null, app: app?.state ?? null }
    }
    return {
      ...mysqlBulk(url),
      async create(key, state) {
        const now = Date.now()
        const times = { createdAt: now, updatedAt: now, lastEventAt: now }
        await db.insert(sessions).values({ ...key, state, initialState: state, revision: 1, lastSeq: 0, ...times })
        const { user, app } = await scopes(key)
        return merged(state, user, app)
      },
      writer: async (key) => (event) =>
        db.transaction(async (tx) => {
          const { session: sessionDelta, user: userDelta } = deltaOf(event)
          const now = Date.now()
          const [session] = await tx.select().from(sessions).where(isSession(key)).for('update')
          if (session === undefined) throw new Error('the session is missing')
          const [seq, revision] = [session.lastSeq + 1, session.revision + 1]
          const state = { ...session.state, ...Object.fromEntries(sessionDelta) }
          await tx
            .update(sessions)
            .set({ state, revision, lastSeq: seq, updatedAt: now, lastEventAt: event.timestamp })
            .where(eq(sessions.sid, session.sid))
          if (userDelta.length > 0) {
            const [user] = await tx.select().from(userStates).where(isUser(key)).for('update')
            const next = { ...user?.state, ...Object.fromEntries(userDelta) }
            const change = { state: next, revision: (user?.revision ?? 0) + 1, updatedAt: now }
            await tx
              .insert(userStates)
              .values({ appName: key.appName, userId: key.userId, ...change })
              .onDuplicateKeyUpdate({ set: change })
          }
          await tx.insert(events).values({
            sid: session.sid,
            seq,
            eventId: event.id,
            invocationId: event.invocationId,
            author: event.author,
            timestamp: event.timestamp,
            payload: event,
          })
          return { seq, revision }
        }),
      async load(key, last) {
        const [session] = await db.select().from(sessions).where(isSession(key))
        if (session === undefined) throw new Error('the session is missing')
        const { user, app } = await scopes(key)
        const newest = await db
          .select()
          .from(events)
          .where(eq(events.sid, session.sid))
          .orderBy(desc(events.seq))
          .limit(last)
        return {
          state: merged(session.state, user, app),
          events: newest.toReversed().map(({ eventId, payload }) => ({ ...payload, id: eventId })),
        }
      },
      record: async (rows) => void (await db.insert(metrics).values(rows.map(valuesOf))),
      async list(user, most, withState) {
        const { state, initialState: _, ...summary } = getTableColumns(sessions)
        const rows = await db
          .select(withState ? { ...summary, state } : summary)
          .from(sessions)
          .where(and(eq(sessions.appName, user.appName), eq(sessions.userId, user.userId)))
          .orderBy(desc(sessions.lastEventAt), asc(sessions.sessionId))
          .limit(most)
        return rows.length
      },
      close: () => client.promise().end(),
    }
  },
}
