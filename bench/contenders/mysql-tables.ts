import { openMysqlStore } from '@daybook/drizzle-mysql'
import { createConnection, type Connection, type RowDataPacket } from 'mysql2/promise'
import type { Contender, SeedSession } from '../contender.ts'

/** The tables of Daybook itself, for every contender that has its own SQL over them. */
export async function makeTables(url: string): Promise<void> {
  const store = await openMysqlStore({ url, connectionLimit: 1 })
  await store.migrate().finally(() => store.close())
}

/** Sessions of one statement: a packet has its bounds. */
const together = 500

/** Seeds Daybook's tables. */
export const mysqlBulk = (url: string): Required<Pick<Contender, 'seedSessions' | 'sql'>> => ({
  seedSessions: (sessions) =>
    once(url, async (connection) => {
      for (let i = 0; i < sessions.length; i += together)
        await connection.query(
          `insert into daybook_sessions (app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at) values ?`,
          [sessions.slice(i, i + together).map(rowOf)],
        )
    }),
  sql: {
    tables: 'daybook',
    run: (text) => once(url, async (connection) => void (await connection.query(text))),
    rows: (text) => once(url, async (connection) => (await connection.query<RowDataPacket[]>(text))[0]),
  },
})

function rowOf({ appName, userId, sessionId, state, updatedAt }: SeedSession) {
  const [json, at] = [JSON.stringify(state), updatedAt * 1000]
  return [appName, userId, sessionId, json, json, 1, 0, at, at, at]
}

async function once<T>(url: string, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await createConnection(url)
  try {
    return await work(connection)
  } finally {
    await connection.end()
  }
}
