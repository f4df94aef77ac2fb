import { openPgStore, type PgStoreOptions } from '@daybook/drizzle-pg'
import { beforeEach, describe, onTestFinished } from 'vitest'
import { codecPromises, type CodecPlace } from '../../drizzle/test/codec-promises.ts'
import { newSchema } from './places.ts'
import { connect, needsServer, serverUrl } from './server.ts'

beforeEach(needsServer)

async function newPlace(): Promise<CodecPlace> {
  const schema = newSchema()
  const sql = connect()
  onTestFinished(() => sql.end({ timeout: 5 }))
  const open = async (options: PgStoreOptions = {}) => {
    const store = await openPgStore({ url: serverUrl, schema, max: 2, ...options })
    onTestFinished(() => store.close())
    return store
  }
  await (await open()).migrate()
  return {
    open,
    payloads: async () => {
      const rows = await sql`select event_id, payload::text as payload from ${sql(schema)}.daybook_events`
      return Object.fromEntries(rows.map((row) => [row['event_id'], row['payload']])) as Record<string, string> // two columns of text
    },
    states: async () => {
      const rows = await sql`select state::text from ${sql(schema)}.daybook_sessions
        union all select initial_state::text from ${sql(schema)}.daybook_sessions
        union all select state::text from ${sql(schema)}.daybook_user_states
        union all select state::text from ${sql(schema)}.daybook_app_states`
      return rows.map((row) => String(row['state']))
    },
    setPayload: async (eventId, text) =>
      void (await sql`update ${sql(schema)}.daybook_events set payload = ${text}::text::json where event_id = ${eventId}`),
    setState: async (text) => void (await sql`update ${sql(schema)}.daybook_sessions set state = ${text}::text::jsonb`),
  }
}

describe('a codec over PostgreSQL', () => {
  codecPromises(newPlace)
})
