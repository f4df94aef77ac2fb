// @ts-check
import { openSqliteStore } from '@daybook/drizzle-sqlite'

const key = { appName: 'packed', userId: 'ann', sessionId: 's1' }
const store = await openSqliteStore({ url: ':memory:' })
await store.migrate()
const session = await store.sessions.create(key)
await store.events.append(session, { author: 'user', content: { parts: [{ text: 'hi' }] } })
const loaded = await store.sessions.get(key, { events: { last: 10 } })
const content = /** @type {{ parts: { text: string }[] } | undefined} */ (loaded?.events[0]?.event.content)
console.log(content?.parts[0]?.text)
await store.close()
