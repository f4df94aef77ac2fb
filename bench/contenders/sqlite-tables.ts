import { openSqliteStore } from '@daybook/drizzle-sqlite'
import type { Contender, SeedSession, StoredRow } from '../contender.ts'

/** The tables of Daybook itself, for every contender that has its own SQL over them. */
export async function makeTables(url: string): Promise<void> {
  const store = await openSqliteStore({ url: `file:${url}` })
  await store.migrate().finally(() => store.close())
}

/** Seeds Daybook's tables by one statement, through the contender's own connection: no file has two libraries. */
export const sqliteBulk = (
  run: (text: string, args: string[]) => void | Promise<void>,
  rows: (text: string) => readonly unknown[] | Promise<readonly unknown[]>,
): Required<Pick<Contender, 'seedSessions' | 'sql'>> => ({
  async seedSessions(sessions) {
    await run(insertAll, [JSON.stringify(sessions.map(rowOf))])
  },
  sql: {
    tables: 'daybook',
    run: async (text) => run(text, []),
    rows: async (text) => (await rows(text)) as readonly StoredRow[], // what a SELECT answers
  },
})

const rowOf = ({ appName, userId, sessionId, state, updatedAt }: SeedSession) => [
  appName,
  userId,
  sessionId,
  JSON.stringify(state),
  updatedAt * 1000,
]

const insertAll = `insert into daybook_sessions (app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at)
  select value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 3, 1, 0, value ->> 4, value ->> 4, value ->> 4 from json_each(?)`
