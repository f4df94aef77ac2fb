// Ordinary, careful Drizzle: the builder, and a transaction that begins by writing.
import { sessions, events, userStates, appStates, metrics } from '@daybook/drizzle-sqlite/schema'
import Database from 'better-sqlite3'
import { and, asc, desc, eq, getTableColumns } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/better-sqlite3'
import type { Entry, Key } from '../contender.ts'
import { deltaOf } from './delta.ts'
import { merged } from './merged.ts'
import { valuesOf } from './metric-columns.ts'
import { makeTables, sqliteBulk } from './sqlite-tables.ts'

const isSession = ({ appName, userId, sessionId }: Key) =>
  and(eq(sessions.appName, appName), eq(sessions.userId, userId), eq(sessions.sessionId, sessionId))
const isUser = ({ appName, userId }: Omit<Key, 'sessionId'>) =>
  and(eq(userStates.appName, appName), eq(userStates.userId, userId))

export const sqliteNaive: Entry = {
  name: 'drizzle-naive',
  driver: 'better-sqlite3',
  async open({ url }) {
    await makeTables(url)
    const client = new Database(url)
    client.pragma('journal_mode = WAL')
    client.pragma('synchronous = FULL')
    client.pragma('foreign_keys = ON')
    const db = drizzle({ client })
    function scopes(key: Omit<Key, 'sessionId'>) {
      const user = db.select().from(userStates).where(isUser(key)).get()
      const app = db.select().from(appStates).where(eq(appStates.appName, key.appName)).get()
      return { user: user?.state ?? null, app: app?.state ?? null }
    }
    return {
      ...sqliteBulk(
        (text, args) => void client.prepare(text).run(...args),
        (text) => client.prepare(text).all(),
      ),
      async create(key, state) {
        const now = Date.now()
        const times = { createdAt: now, updatedAt: now, lastEventAt: now }
        db.insert(sessions)
          .values({ ...key, state, initialState: state, revision: 1, lastSeq: 0, ...times })
          .run()
        const { user, app } = scopes(key)
        return merged(state, user, app)
      },
      writer: async (key) => async (event) =>
        db.transaction(
          (tx) => {
            const { session: sessionDelta, user: userDelta } = deltaOf(event)
            const now = Date.now()
            const session = tx.select().from(sessions).where(isSession(key)).get()
            if (session === undefined) throw new Error('the session is missing')
            const [seq, revision] = [session.lastSeq + 1, session.revision + 1]
            const state = { ...session.state, ...Object.fromEntries(sessionDelta) }
            tx.update(sessions)
              .set({ state, revision, lastSeq: seq, updatedAt: now, lastEventAt: event.timestamp })
              .where(eq(sessions.sid, session.sid))
              .run()
            if (userDelta.length > 0) {
              const user = tx.select().from(userStates).where(isUser(key)).get()
              const next = { ...user?.state, ...Object.fromEntries(userDelta) }
              const change = { state: next, revision: (user?.revision ?? 0) + 1, updatedAt: now }
              tx.insert(userStates)
                .values({ appName: key.appName, userId: key.userId, ...change })
                .onConflictDoUpdate({ target: [userStates.appName, userStates.userId], set: change })
                .run()
            }
            tx.insert(events)
              .values({
                sid: session.sid,
                seq,
                eventId: event.id,
                invocationId: event.invocationId,
                author: event.author,
                timestamp: event.timestamp,
                payload: event,
              })
              .run()
            return { seq, revision }
          },
          { behavior: 'immediate' },
        ),
      async load(key, last) {
        const session = db.select().from(sessions).where(isSession(key)).get()
        if (session === undefined) throw new Error('the session is missing')
        const { user, app } = scopes(key)
        const newest = db
          .select()
          .from(events)
          .where(eq(events.sid, session.sid))
          .orderBy(desc(events.seq))
          .limit(last)
          .all()
        return {
          state: merged(session.state, user, app),
          events: newest.toReversed().map(({ eventId, payload }) => ({ ...payload, id: eventId })),
        }
      },
      async record(rows) {
        db.transaction((tx) => {
          for (let i = 0; i < rows.length; i += 250)
            tx.insert(metrics)
              .values(rows.slice(i, i + 250).map(valuesOf))
              .run()
        })
      },
      async list(user, most, withState) {
        const { state, initialState: _, ...summary } = getTableColumns(sessions)
        const rows = db
          .select(withState ? { ...summary, state } : summary)
          .from(sessions)
          .where(and(eq(sessions.appName, user.appName), eq(sessions.userId, user.userId)))
          .orderBy(desc(sessions.lastEventAt), asc(sessions.sessionId))
          .limit(most)
          .all()
        return rows.length
      },
      async close() {
        client.close()
      },
    }
  },
}
