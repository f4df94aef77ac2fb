import { openPgStore } from '@daybook/drizzle-pg'
import { Client } from 'pg'
import type { Contender, StoredRow } from '../contender.ts'

/** The tables of Daybook itself, for every contender that has its own SQL over them. */
export async function makeTables(url: string): Promise<void> {
  const store = await openPgStore({ url, max: 1 })
  await store.migrate().finally(() => store.close())
}

/** Seeds Daybook's tables by one statement. */
export const pgBulk = (url: string): Required<Pick<Contender, 'seedSessions' | 'sql'>> => ({
  async seedSessions(sessions) {
    const rows = sessions.map(({ appName, userId, sessionId, state, updatedAt }) => ({
      appName,
      userId,
      sessionId,
      state,
      at: updatedAt * 1000,
    }))
    await once(url, (client) =>
      client.query(
        `insert into daybook_sessions (app_name, user_id, session_id, state, initial_state, revision, last_seq, created_at, updated_at, last_event_at)
          select "appName", "userId", "sessionId", state, state::json, 1, 0, at, at, at
          from json_to_recordset($1::text::json) as x ("appName" text, "userId" text, "sessionId" text, state jsonb, at bigint)`,
        [JSON.stringify(rows)],
      ),
    )
  },
  sql: {
    tables: 'daybook',
    run: async (text) => void (await once(url, (client) => client.query(text))),
    rows: (text) => once(url, async (client) => (await client.query<StoredRow>(text)).rows),
  },
})

async function once<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}
