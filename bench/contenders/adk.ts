// ADK's own interface, on both sides: its DatabaseSessionService, and Daybook's behind the same methods. What ADK demands of its
// callers is done here too: it is the Session object, loaded once and held, that an event is appended to.
import { DaybookSessionService } from '@daybook/adk'
import type { Store } from '@daybook/core'
import { DatabaseSessionService, createEvent, createEventActions, type BaseSessionService } from '@google/adk'
import type { MikroORM } from '@mikro-orm/core'
import type { Contender, Entry, Place } from '../contender.ts'
import type { JsonObject } from '../data.ts'

type SessionService = Pick<BaseSessionService, 'createSession' | 'getSession' | 'listSessions' | 'appendEvent'>

function overAdk(service: SessionService, close: () => Promise<void>): Contender {
  return {
    async create({ appName, userId, sessionId }, state) {
      const session = await service.createSession({ appName, userId, sessionId, state: { ...state } })
      return session.state as JsonObject // what was given, and what its user and app have
    },
    async writer({ appName, userId, sessionId }) {
      const session = await service.getSession({ appName, userId, sessionId })
      if (session === undefined) throw new Error('the session is missing')
      return async (event) => {
        const actions = createEventActions({ stateDelta: { ...event.actions.stateDelta } })
        const made = createEvent({ ...event, actions })
        await service.appendEvent({ session, event: made })
        return {}
      }
    },
    async load({ appName, userId, sessionId }, last) {
      const config = { numRecentEvents: last }
      const session = await service.getSession({ appName, userId, sessionId, config })
      if (session === undefined) throw new Error('the session is missing')
      return { state: session.state as JsonObject, events: session.events } // as it was given
    },
    async list(user, limit) {
      const { sessions } = await service.listSessions({ ...user, limit, order: 'desc' })
      return sessions.length
    },
    close,
  }
}

/** @param addressOf what ADK wants instead of the address of the place */
export const adkItself = (driver: string, addressOf: (place: Place) => string): Entry => ({
  name: 'adk',
  driver,
  lacks: 'no seq, no revision; its list always brings state',
  async open(place) {
    const service = new DatabaseSessionService(addressOf(place))
    await service.init()
    const { orm } = service as unknown as { readonly orm: MikroORM } // it has no close of its own
    const run = async (text: string) => void (await orm.em.getConnection().execute(text))
    return { ...overAdk(service, () => orm.close()), sql: { tables: 'adk', run } }
  },
})

export const adkOverDaybook = (
  driver: string,
  open: (place: Place) => Promise<Store>,
  seedOf: (place: Place, store: Store) => Pick<Contender, 'seedSessions' | 'sql'>,
): Entry => ({
  name: 'daybook-adk',
  driver,
  async open(place) {
    const store = await open(place)
    await store.migrate()
    const service = new DaybookSessionService(store)
    const contender = overAdk(service, () => store.close())
    return { ...contender, ...seedOf(place, store) }
  },
})
