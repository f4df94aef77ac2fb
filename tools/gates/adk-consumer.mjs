import { DaybookSessionService, openSessionService } from '@daybook/adk'
import { createInMemoryStore } from '@daybook/core'
import { createEvent } from '@google/adk'

const service = new DaybookSessionService(createInMemoryStore())
const session = await service.createSession({ appName: 'shop', userId: 'ann' })
const event = createEvent({ author: 'user', content: { parts: [{ text: 'hi' }] } })
await service.appendEvent({ session, event })
const loaded = await service.getSession({ appName: 'shop', userId: 'ann', sessionId: session.id })
console.log(loaded?.events[0]?.content?.parts?.[0]?.text)
await openSessionService('postgres://localhost/agent').catch((error) => console.log(`${error.code}: ${error.message}`))
