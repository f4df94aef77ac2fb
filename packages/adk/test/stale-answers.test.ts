import {
  createInMemoryStore,
  StoreError,
  type AgentEvent,
  type AppendOptions,
  type AppendResult,
  type SessionKey,
  type Store,
} from '@daybook/core'
import { createEvent, type Event, type Session } from '@google/adk'
import { describe, expect, test } from 'vitest'
import { DaybookSessionService } from '../src/index.ts'

type Append = (key: SessionKey, events: readonly AgentEvent[], options?: AppendOptions) => Promise<AppendResult>

const over = <T extends object>(target: T, members: Readonly<Record<string, unknown>>): T =>
  new Proxy(target, {
    get: (_, name) => (typeof name === 'string' && members[name]) || Reflect.get(target, name, target),
  })

/** A store whose answers to appends somebody may come before. */
function storeAnswering(real: Store, answering: (append: Append) => Append): Store {
  const append = answering((at, events, options) => real.events.append(at, events, options))
  return over(real, { events: over(real.events, { append }) })
}

const idsOf = ({ events }: Session) => events.map(({ id }) => id)
const event = (id: string, stateDelta: Record<string, unknown> = {}): Event =>
  createEvent({ id, author: 'agent', actions: { stateDelta } })
const key = { appName: 'shop', userId: 'ann', sessionId: 'one' }

describe('the answer to an append', () => {
  test('that was lost: the event, appended again, has its place among those of others [§1.1 stale copy; §2 order of events]', async () => {
    const real = createInMemoryStore()
    let isLosing = false
    const lossy = storeAnswering(real, (append) => async (...given) => {
      const answer = await append(...given)
      if (isLosing) throw new StoreError('outcome_unknown', 'the answer was lost')
      return answer
    })
    const [mine, others] = [new DaybookSessionService(lossy), new DaybookSessionService(real)]
    const session = await mine.createSession(key)
    const copy = await others.getSession(key)
    if (copy === undefined) throw new Error('the session is there')
    await mine.appendEvent({ session, event: event('1') })
    isLosing = true
    const second = event('2', { topic: 'mine' })
    await expect(mine.appendEvent({ session, event: second })).rejects.toMatchObject({ code: 'outcome_unknown' })
    isLosing = false
    expect(idsOf(session)).toEqual(['1'])
    await others.appendEvent({ session: copy, event: event('3', { topic: 'theirs' }) })
    await mine.appendEvent({ session, event: second })
    expect(idsOf(session)).toEqual(['1', '2', '3'])
    expect(session.state).toEqual({ topic: 'theirs' })
    await mine.appendEvent({ session, event: event('4') })
    expect(idsOf(session)).toEqual(['1', '2', '3', '4'])
  })

  test('whose state somebody has changed meanwhile: a key that is no longer there leaves the live state [§2 state in place]', async () => {
    const real = createInMemoryStore()
    const unsetting: AgentEvent = { author: 'other', actions: { stateUnset: ['topic'] } }
    let isUnset = false
    const late = storeAnswering(real, (append) => async (...given) => {
      const answer = await append(...given)
      if (!isUnset) return answer
      await append(key, [unsetting])
      const state = (await real.sessions.get(key))?.state
      return { ...answer, ...(state !== undefined && { state }) }
    })
    const service = new DaybookSessionService(late)
    const session = await service.createSession(key)
    isUnset = true
    await service.appendEvent({ session, event: event('1', { topic: 'tea', size: 39 }) })
    expect(session.state).toEqual({ size: 39 })
  })
})
