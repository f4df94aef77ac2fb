import type { NewSession } from '@daybook/drizzle'
import { getTableName } from 'drizzle-orm'
import type { Sent } from './append.ts'
import type { DaybookTables } from './schema.ts'

/** One statement that creates a session and answers the states that it sees; `undefined` for one that has to go the long way. */
export function createNewSession(tables: DaybookTables): (session: NewSession) => Sent | undefined {
  const [sessions, users, apps] = [tables.sessions, tables.userStates, tables.appStates].map(
    (table) => `"${getTableName(table)}"`,
  )
  const text = `insert into ${sessions} ("app_name", "user_id", "session_id", "state", "initial_state", "revision", "last_seq", "created_at", "updated_at", "last_event_at")
    values (?, ?, ?, ?, ?, 1, 0, ?, ?, ?) on conflict ("app_name", "user_id", "session_id") do nothing
    returning (select u."state" from ${users} u where u."app_name" = ${sessions}."app_name" and u."user_id" = ${sessions}."user_id") as "userState",
      (select a."state" from ${apps} a where a."app_name" = ${sessions}."app_name") as "appState"`
  return ({ key, state, initialState, deltas, createdAt, now }) => {
    const brings = [deltas.user, deltas.app].some(({ set, unset }) => set.length + unset.length > 0)
    if (brings) return undefined
    const values = [key.appName, key.userId, key.sessionId, state, initialState, createdAt, now, createdAt]
    return { text, values }
  }
}
