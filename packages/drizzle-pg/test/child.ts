import { isStoreError } from '@daybook/core'
import { openPgStore } from '../src/index.ts'

// A process of its own: waits for the others, migrates, uses the store, closes it, says what came of it, and ends by itself.
const { url, schema, startAt } = JSON.parse(process.argv[2] ?? '{}') as { url: string; schema: string; startAt: number } // as processes.ts sends it

await new Promise((resolve) => setTimeout(resolve, Math.max(0, startAt - Date.now())))
try {
  const store = await openPgStore({ url, schema, max: 2 })
  const { applied } = await store.migrate()
  const session = await store.sessions.create({ appName: 'child', userId: String(process.pid) })
  await store.events.append(session, { author: 'child' })
  await store.close()
  console.log(JSON.stringify({ applied }))
} catch (error) {
  console.log(JSON.stringify({ code: isStoreError(error) ? error.code : String(error) }))
}
