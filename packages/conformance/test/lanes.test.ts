import { afterAll, expect, test } from 'vitest'
import type { SessionKey } from '@daybook/core'
import type { HeldLock, StoreUnderTest } from '../src/define.ts'
import { besideThenAlone, inLanes } from '../src/lanes.ts'
import { createPlan } from '../src/plan.ts'
import { runConformance } from '../src/run.ts'
import { watchWitness } from '../src/witness.ts'
import { wrapStore } from '../src/wrap.ts'
import { subjectOf } from './backends.ts'
import { changed } from './broken-stores.ts'
import { memory } from './memory-subject.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

test('so many at once and no more, in their order; an error waits until all of it is over', async () => {
  const begun: number[] = []
  let [running, most, ended] = [0, 0, 0]
  const work = async (item: number) => {
    begun.push(item)
    most = Math.max(most, (running += 1))
    await turn()
    running -= 1
    if (item === 2) throw new Error('two')
    ended += 1
  }
  await expect(inLanes([1, 2, 3, 4, 5, 6], 3, work)).rejects.toThrow('two')
  expect([begun, most, ended]).toEqual([[1, 2, 3, 4, 5, 6], 3, 5])
})

const isAlone = (item: string) => item.startsWith('alone')
const turns = (item: string) => (['race', 'waits'] as const).find((kind) => item.includes(kind))

test('who is alone runs when the others are done, and the longest begin first', async () => {
  const seen: string[] = []
  let running = 0
  await besideThenAlone(
    ['short', 'alone1', 'longer', 'alone2'],
    { lanes: 4, isAlone, longest: (item) => item.length },
    async (item) => {
      running += 1
      seen.push(`${item} of ${running}`)
      await turn()
      running -= 1
    },
  )
  expect(seen).toEqual(['longer of 1', 'short of 2', 'alone1 of 1', 'alone2 of 1'])
})

test('of those that are alone a race and one that waits go together, and no two of a kind; with one lane nothing does', async () => {
  const items = ['alone', 'alone race1', 'alone race2', 'alone waits1', 'alone waits2', 'beside race']
  const companies = async (lanes: number) => {
    const seen = new Set<string>()
    const running = new Set<string>()
    await besideThenAlone(items, { lanes, isAlone, turns, longest: () => 1 }, async (item) => {
      running.add(item)
      seen.add([...running].toSorted().join(' + '))
      await turn()
      running.delete(item)
    })
    return [...seen]
  }
  expect(await companies(4)).toEqual([
    'beside race',
    'alone race1',
    'alone race1 + alone waits1',
    'alone race2 + alone waits1',
    'alone race2 + alone waits2',
    'alone',
  ])
  expect(await companies(1)).toEqual(['beside race', ...items.slice(1, 5), 'alone'])
})

test('a change of the witness is blamed on all that ran since the last look, and on nobody else', async () => {
  let checksum = 'a'
  let looks = 0
  const look = async () => {
    looks += 1
    const seen = checksum
    await turn()
    return seen
  }
  const watch = watchWitness(look, 'a')
  watch.begins('before')
  expect(await watch.ends('before')).toEqual([])
  for (const check of ['A', 'B', 'C']) watch.begins(check)
  checksum = 'b'
  const [a, b] = await Promise.all([watch.ends('A'), watch.ends('B')])
  expect(looks, 'one look serves those that end together').toBe(2)
  expect(a).toEqual(['A', 'B', 'C'])
  expect(b).toEqual(a)
  watch.begins('D')
  expect(await watch.ends('D')).toEqual([])
  expect(await watch.ends('C'), 'it was running when it happened').toEqual(a)
})

test('checks beside one another and one by one come to the same verdicts, in the order of the plan', async () => {
  const [one, many] = [await verdictsWith(1), await verdictsWith(6)]
  expect(many).toEqual(one)
  expect(one.map(({ key }) => key)).toEqual(createPlan('core', only).planned.map(({ key }) => key))
})

const only = ['SES-*', 'EVT-0*', 'STA-*', 'TIM-*', 'LIM-01', 'META-03', 'META-04', 'META-05']
const verdictsWith = async (lanes: number) =>
  (await runConformance(memory, { level: 'core', only, lanes, seed: 7, canaries: false })).checks

test('a run without a lane is refused', async () => {
  await expect(runConformance(memory, { only, lanes: 0 })).rejects.toThrow('lanes is a whole number from 1, not 0')
})

test('what one leaves unhandled fails all that ran meanwhile, by name; alone it is its own', async () => {
  const careless = changed((store) =>
    wrapStore(store, {
      sessions: {
        count: (filter) => {
          void Promise.reject(new Error('nobody listens')) // the bug
          return store.sessions.count(filter)
        },
      },
    }),
  )
  const judged = (lanes: number) => runConformance(careless, { only: ['SES-16', 'EVT-04'], lanes, canaries: false })
  const verdicts = async (lanes: number) => (await judged(lanes)).checks.map(({ key, verdict }) => [key, verdict])
  expect(await verdicts(1)).toEqual([
    ['SES-16', 'fail'],
    ['EVT-04', 'pass'],
  ])
  const [counts] = (await judged(2)).checks
  expect(counts).toMatchObject({ key: 'SES-16', got: expect.stringContaining('nobody listens') as string })
})

// What a check does to what all of them share: the reason for which it has to be alone.
const touched = new Set<string>()
const given = {
  env: process.env,
  memoryUsage: process.memoryUsage,
}
const resources = process.getActiveResourcesInfo.bind(process)
const touches = <A extends unknown[], T>(what: string, real: (...args: A) => T) =>
  function touch(...args: A): T {
    touched.add(what)
    return real(...args)
  }

afterAll(() => {
  process.env = given.env
  process.memoryUsage = given.memoryUsage
  process.getActiveResourcesInfo = resources
})

const nothingHeld: HeldLock = { release: async () => {} }

/** A place that has everything which may be of the whole place, and tells when it is asked for. */
const guarded = (subject: StoreUnderTest): StoreUnderTest => ({
  ...subject,
  async provision(request) {
    const place = await subject.provision(request)
    return {
      ...place,
      lock: touches('a lock', async (key: SessionKey) => place.lock?.(key) ?? nothingHeld),
      refuse: touches('a refusal', async () => place.refuse?.() ?? nothingHeld),
      async open(options) {
        const store = await place.open(options)
        return wrapStore(store, {
          indexStatePath: touches('an index', (...args) => store.indexStatePath(...args)),
        })
      },
    }
  },
})

const run = (subject: StoreUnderTest, keys: readonly string[]) =>
  runConformance(subject, { level: 'durable', only: keys, canaries: false })

test('no check that runs beside others touches what all of them share', async () => {
  const sqlite = guarded(await subjectOf('sqlite')) // it has indexes
  process.env = new Proxy(given.env, {
    set(target, name, value) {
      touched.add(`the environment: ${String(name)}`)
      return Reflect.set(target, name, value)
    },
  })
  process.memoryUsage = Object.assign(touches('the heap', given.memoryUsage), given.memoryUsage)
  process.getActiveResourcesInfo = touches('the handles', resources)
  const beside = createPlan('durable').checks.filter(({ alone, id }) => !alone && !id.startsWith('META-'))
  const keysOf = (group: string) => beside.map(({ key }) => key).filter((key) => key.startsWith(group))
  await run(guarded(memory), keysOf(''))
  await run(sqlite, keysOf('JSP-'))
  expect([...touched]).toEqual([])
  // These are alone because they do, so it would have been seen.
  await run(sqlite, ['TIM-03', 'RES-11', 'RES-13', 'CON-15', 'ERR-10', 'JSP-11'])
  expect([...touched].toSorted()).toEqual([
    'a lock',
    'a refusal',
    'an index',
    'the environment: TZ',
    'the handles',
    'the heap',
  ])
}, 300_000)
