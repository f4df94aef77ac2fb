// Writes a session as ADK does, or imports it, in the time zone of its environment. Prints the times that it knows of it.
import { createInMemoryStore } from '@daybook/core'
import { importFromAdk } from '../src/index.ts'
import { adkEvent, adkService } from './adk-source.ts'

const [url = '', what, argument = ''] = process.argv.slice(2)
const key = { appName: 'zones', userId: 'u', sessionId: 's1' }
const { timeZone: zone } = Intl.DateTimeFormat().resolvedOptions()
const lastEventAt = Date.UTC(2026, 6, 1, 3, 30)

if (what === 'write') {
  const adk = adkService(url, argument)
  const session = await adk.service.createSession(key)
  const createdAt = Date.now()
  await adk.service.appendEvent({ session, event: adkEvent({ id: 'e1', author: 'a', timestamp: lastEventAt }) })
  await adk.close()
  console.info(JSON.stringify({ createdAt, lastEventAt, zone }))
} else {
  const to = createInMemoryStore()
  await importFromAdk({ from: url, to, zone: argument })
  const session = await to.sessions.get(key)
  console.info(JSON.stringify({ createdAt: session?.createdAt, lastEventAt: session?.lastEventAt, zone }))
}
