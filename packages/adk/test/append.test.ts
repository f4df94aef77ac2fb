import { createInMemoryStore } from '@daybook/core'
import { createEvent } from '@google/adk'
import { expect, test } from 'vitest'
import { DaybookSessionService } from '../src/index.ts'

test('an appended event moves the live object in place, and is there after a reload', async () => {
  const service = new DaybookSessionService(createInMemoryStore())
  const session = await service.createSession({
    appName: 'a',
    userId: 'u',
    state: { 'app:x': 1, 'temp:t': () => 1, y: { z: 1 } },
  })
  const { state } = session
  const stale = await service.getSession({ appName: 'a', userId: 'u', sessionId: session.id })
  const event = createEvent({
    author: 'user',
    actions: { stateDelta: { 'user:size': 39, y: null, 'temp:q': () => 2 } },
  })
  state['temp:q'] = 5
  expect(await service.appendEvent({ session, event })).toBe(event)
  expect(session.state).toBe(state)
  expect(state).toEqual({ 'app:x': 1, y: null, 'user:size': 39, 'temp:q': 5 })
  if (stale === undefined) throw new Error('no session')
  await Promise.all(
    [1, 2, 3].map((n) =>
      service.appendEvent({
        session: stale,
        event: createEvent({ author: 'a', actions: { stateDelta: { ['k' + n]: n } } }),
      }),
    ),
  )
  expect(stale.events.map(({ id }) => id)[0]).toBe(event.id)
  expect(stale.events).toHaveLength(4)
  expect(stale.state).toEqual({ 'app:x': 1, y: null, 'user:size': 39, k1: 1, k2: 2, k3: 3 })
  const reloaded = await service.getSession({ appName: 'a', userId: 'u', sessionId: session.id })
  expect(reloaded?.events.map(({ id }) => id)).toEqual(stale.events.map(({ id }) => id))
  expect(reloaded?.lastUpdateTime).toBe(stale.lastUpdateTime)
})
