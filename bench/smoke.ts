// A contender that answers wrongly is fast for nothing.
import { deepStrictEqual } from 'node:assert'
import type { Contender, Entry } from './contender.ts'
import { createData, type BenchEvent, type JsonObject } from './data.ts'
import type { Verdict } from './result.ts'
import { smokeMetrics } from './smoke-metrics.ts'

const appName = 'smoke'
const writers = 16

export async function smoke(contender: Contender, entry: Entry, seedNumber: number): Promise<Verdict> {
  const data = createData(seedNumber)
  const faults: string[] = []
  const check = (what: string, actual: unknown, expected: unknown) => {
    try {
      deepStrictEqual(actual, expected)
    } catch {
      faults.push(what)
    }
  }
  const key = { appName, userId: 'u', sessionId: 'one' }
  const state = data.sessionState()
  const { hasState = true } = entry
  const created = await contender.create(key, state)
  if (hasState) check('create does not answer the state', created, state)
  const append = await contender.writer(key)
  const events = [data.event(), data.event(), data.event()]
  const positions: (number | undefined)[] = []
  for (const event of events) positions.push((await append(event)).seq)
  if (positions.some((seq) => seq !== undefined)) check('seq is not 1, 2, 3', positions, [1, 2, 3])
  const loaded = await contender.load(key, 50)
  check(
    'the events are not in their order',
    loaded.events.map(({ id }) => id),
    events.map(({ id }) => id),
  )
  const expected = Object.assign({}, state, ...events.map(({ actions }) => actions.stateDelta)) as JsonObject // JSON objects, merged
  if (hasState) check('the merged state is wrong', loaded.state, expected)
  const newest = await contender.load(key, 2)
  check(
    'the newest events are not these',
    newest.events.map(({ id }) => id),
    events.slice(1).map(({ id }) => id),
  )
  if (contender.list !== undefined)
    check('the list does not have the session', await contender.list({ appName, userId: 'u' }, 50, true), 1)
  const lost = await smokeMetrics(contender, appName, seedNumber)
  if (lost !== undefined) faults.push(lost)

  if (!hasState) return { faults }
  return { faults, keptUserKeys: await keptUserKeys(), keptSessionKeys: await keptSessionKeys() }

  /** By 16 sessions of one user. */
  async function keptUserKeys(): Promise<number> {
    const keys = Array.from({ length: writers }, (_, i) => ({ appName, userId: 'many', sessionId: `many-${i}` }))
    const appends = []
    for (const one of keys) {
      await contender.create(one, {})
      appends.push(await contender.writer(one))
    }
    await Promise.allSettled(appends.map((write, i) => write(changing(data.event(), { [`user:own_${i}`]: i }))))
    const { state: seen } = await contender.load({ appName, userId: 'many', sessionId: 'many-0' }, 1)
    return Object.keys(seen).filter((name) => name.startsWith('user:own_')).length
  }

  /** On one session, each as another process would, with its own copy of what a framework holds. */
  async function keptSessionKeys(): Promise<number> {
    const shared = { appName, userId: 'shared', sessionId: 'shared' }
    await contender.create(shared, {})
    const appends = await Promise.all(Array.from({ length: writers }, () => contender.writer(shared)))
    await Promise.allSettled(appends.map((write, i) => write(changing(data.event(), { [`own_${i}`]: i }))))
    const { state: seen } = await contender.load(shared, 1)
    return Object.keys(seen).filter((name) => name.startsWith('own_')).length
  }
}

const changing = (event: BenchEvent, stateDelta: JsonObject): BenchEvent => ({ ...event, actions: { stateDelta } })
