import { createEvent } from '@google/adk'
import { openSessionService } from '../src/index.ts'

/** Another process, which appends to the session of `open.test.ts`. */
const [url = ''] = process.argv.slice(2)
const service = await openSessionService(url)
const session = await service.getSession({ appName: 'shop', userId: 'ann', sessionId: 's1' })
if (session === undefined) throw new Error('no session')
for (let i = 0; i < 50; i++) await service.appendEvent({ session, event: createEvent({ author: 'child' }) })
await service.close()
