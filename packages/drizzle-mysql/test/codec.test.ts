import { beforeEach, describe } from 'vitest'
import { codecPromises, type CodecPlace } from '../../drizzle/test/codec-promises.ts'
import { needsServer, newPlace, openedStore } from './places.ts'

beforeEach(needsServer)

async function codecPlace(): Promise<CodecPlace> {
  const { url, pool, rows } = await newPlace()
  await (await openedStore(url)).migrate()
  return {
    open: (options) => openedStore(url, options),
    payloads: async () => {
      const found = await rows('select event_id, payload from daybook_events')
      return Object.fromEntries(found.map((row) => [row['event_id'], row['payload']])) as Record<string, string> // two columns of text
    },
    states: async () => {
      const found = await rows(
        'select cast(state as char) as state from daybook_sessions union all select initial_state from daybook_sessions union all select cast(state as char) from daybook_user_states union all select cast(state as char) from daybook_app_states',
      )
      return found.map((row) => String(row['state']))
    },
    setPayload: async (eventId, text) =>
      void (await pool.query('update daybook_events set payload = ? where event_id = ?', [text, eventId])),
    setState: async (text) => void (await pool.query('update daybook_sessions set state = ?', [text])),
  }
}

describe('a codec over MySQL or MariaDB', () => {
  codecPromises(codecPlace)
})
