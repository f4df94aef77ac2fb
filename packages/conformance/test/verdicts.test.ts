import { StoreError, type Store } from '@daybook/core'
import { expect, test } from 'vitest'
import { exitCode, verifyCertificate, type Certificate } from '../src/certificate.ts'
import { toMarkdown } from '../src/certificate-text.ts'
import { check } from '../src/check.ts'
import { budgets } from '../src/context.ts'
import { SubjectError, type PlaceRequest, type StoreUnderTest } from '../src/define.ts'
import { equal } from '../src/expect.ts'
import { proveMutants, proveOwnMutants } from '../src/prove.ts'
import { runConformance } from '../src/run.ts'
import { levelReached, planViolations } from '../src/verdict.ts'
import { wrapStore } from '../src/wrap.ts'
import { bounded, changed, crashing, emptyStore, lyingDelete, withoutWords } from './broken-stores.ts'
import { memory } from './memory-subject.ts'

const verdictOf = (certificate: Certificate, key: string) => certificate.checks.find((one) => one.key === key)?.verdict

test('a promise that is not kept is a fail, and names what was expected and what came', async () => {
  const certificate = await runConformance(changed(lyingDelete), { only: ['SES-10'] })
  expect(certificate.checks).toMatchObject([
    { key: 'SES-10', verdict: 'fail', what: 'first delete', expected: 'false', got: 'true' },
  ])
  expect(exitCode(certificate)).toBe(1)
})

test('an error that nobody asked for is an error, not a fail', async () => {
  const certificate = await runConformance(changed(crashing), { only: ['SES-16'] })
  expect(verdictOf(certificate, 'SES-16')).toBe('error')
  expect(exitCode(certificate)).toBe(1)
})

test('a store that answers nothing is not green', async () => {
  await expect(runConformance(changed(emptyStore), { only: ['SES-*', 'EVT-*'] })).rejects.toThrow(/./)
})

test('a filter makes the certificate partial, however green', async () => {
  const certificate = await runConformance(memory, { only: ['SES-01'] })
  expect(certificate).toMatchObject({ kind: 'partial', verdict: 'incomplete', level: 'none' })
  expect(exitCode(certificate)).toBe(2)
})

test('a filter that leaves nothing is not a pass', async () => {
  const certificate = await runConformance(memory, { only: ['NONE-*'] })
  expect(certificate).toMatchObject({ kind: 'partial', verdict: 'failed' })
  expect(exitCode(certificate)).toBe(1)
})

test('an ability that is declared and not there is a fail; one that is there and not declared, too', async () => {
  const claims = { ...memory.expects, callerTransaction: 'yes' as const }
  const overDeclared = changed(
    (store) => new Proxy(store, { get: (target, name) => (name === 'capabilities' ? claims : bound(target, name)) }),
    { expects: claims },
  )
  expect(verdictOf(await runConformance(overDeclared, { only: ['TXN-02'] }), 'TXN-02')).toBe('unproven')
  const silent = changed(
    (store) => wrapStore(store, { indexStatePath: () => Promise.resolve(undefined as never) }), // the bug: no answer
  )
  expect(verdictOf(await runConformance(silent, { only: ['META-03'] }), 'META-03@jsonPathIndex')).toBe('fail')
})

const bound = (target: object, name: string | symbol): unknown => {
  const value: unknown = Reflect.get(target, name, target)
  return typeof value === 'function' ? (value.bind(target) as unknown) : value // bind answers any
}

/** What creates a session that is there rejects with this. */
const refusingTwice = (reason: unknown) => (store: Store) =>
  wrapStore(store, {
    sessions: {
      create: (session, options) =>
        store.sessions.create(session, options).catch(() => Promise.reject(reason as Error)), // whatever is thrown
    },
  })

const outcomes = async (reason: unknown) => {
  const broken = changed(refusingTwice(reason))
  const mutants = [
    {
      id: 'S900' as const,
      bug: 'none',
      check: 'SES-04',
      provision: (request: PlaceRequest) => broken.provision(request),
    },
  ]
  const options = { only: ['SES-04'], prove: true }
  const proof = await runConformance({ ...memory, mutants }, options)
  const own = proof.mutants.find(({ id }) => id === 'S900')
  return [verdictOf(await runConformance(broken, { only: ['SES-04'] }), 'SES-04'), own?.outcome, own?.note]
}

test('a bug that runs into a mistake of a program is a fail of a store, and proves nothing of a check', async () => {
  const mistake = new TypeError('cannot read properties of undefined')
  const hidden = new StoreError('internal', 'sessions.create failed in an unexpected way', { cause: mistake })
  expect(await outcomes(new StoreError('conflict', 'no'))).toEqual(['fail', 'killed', expect.any(String)])
  const note = expect.stringContaining('a mistake in a program') as string
  expect(await outcomes(mistake)).toEqual(['fail', 'survived', note])
  expect(await outcomes(hidden)).toEqual(['fail', 'survived', note])
})

const wrap = (store: Store) => store

const proving = {
  id: 'x',
  lanes: 4,
  kernel: undefined as never, // the checks look at nothing
  seed: 1,
  budget: budgets.quick,
}

test('a bug of the subject gets a server of its own where its check does', async () => {
  const asked: unknown[] = []
  const own = check('SES-99', 'x', async () => {}, { fresh: true, ownServer: true })
  const mutant = {
    id: 'S901' as const,
    bug: 'none',
    check: own.key,
    provision: (request: PlaceRequest) => {
      asked.push(request.ownServer)
      return memory.provision(request)
    },
  }
  await proveOwnMutants(memory, [mutant], { ...proving, checks: [own], passed: new Set([own.key]) })
  expect(asked).toEqual([true])
})

test('the bug of a race is tried again where the writers did not meet; any other has survived', async () => {
  const met = { race: 0, other: 0 }
  const late = (key: 'race' | 'other') =>
    check(key === 'race' ? 'CON-98' : 'SES-98', 'x', async () => {
      met[key] += 1
      equal(met[key], 1, 'times')
    })
  const checks = [late('race'), late('other')]
  const [one, two] = checks.map(({ key }) => key)
  const results = await proveMutants(
    memory,
    [
      { id: 'M980', bug: 'of a race', check: one ?? '', isRace: true, wrap },
      { id: 'M981', bug: 'of none', check: two ?? '', wrap },
    ],
    { ...proving, checks, passed: new Set([one ?? '', two ?? '']) },
  )
  expect(results.map(({ id, outcome, note }) => [id, outcome, note])).toEqual([
    ['M980', 'killed', 'at attempt 2 of 3: times'],
    ['M981', 'survived', 'pass'],
  ])
})

test('a race canary that survives makes the races unproven', async () => {
  // Without conflicts the canary loses nothing: the race that would show it does not happen.
  const deaf = changed((store) =>
    wrapStore(store, { events: { append: (key, events) => store.events.append(key, events) } }),
  )
  const certificate = await runConformance(deaf, { only: ['CON-01', 'META-02'] })
  expect(certificate.checks.map(({ key, verdict, reason }) => [key, verdict, reason])).toEqual([
    ['CON-01', 'unproven', 'race canary survived'],
    ['CON-01@process', 'unproven', 'fact not observed'],
    ['META-02', 'fail', undefined],
  ])
})

test('a fact that closes checks has to be seen, and the certificate says what it closed', async () => {
  const only = ['CON-01', 'META-03']
  const seen = await runConformance(memory, { only })
  expect(verdictOf(seen, 'META-03@persistent')).toBe('pass')
  expect(verdictOf(seen, 'CON-01@process')).toBe('inapplicable')
  expect(toMarkdown(seen)).toContain('Data end with the process')
  const { worker: _worker, ...unseen } = await memory.provision({ id: 'x' })
  const certificate = await runConformance({ ...memory, provision: async () => unseen }, { only })
  expect(verdictOf(certificate, 'META-03@persistent')).toBe('unproven')
  expect(certificate.checks.find(({ key }) => key === 'CON-01@process')).toMatchObject({
    verdict: 'unproven',
    reason: 'fact not observed',
  })
})

test('a place that neither honours an option nor lacks what it is about leaves the check open', async () => {
  const bare = {
    ...memory,
    provision: async (request: { readonly id: string }) => ({ ...(await memory.provision(request)), lacks: [] }),
  }
  const { checks } = await runConformance(bare, {
    only: ['LIFE-08', 'RES-05', 'LIFE-12', 'CON-15', 'META-03@foreignKeys'],
  })
  expect(checks.map(({ key, verdict, reason }) => [key, verdict, reason])).toEqual([
    ['LIFE-08', 'unproven', 'option not honoured'],
    ['LIFE-12', 'fail', undefined],
    ['CON-15', 'unproven', 'no lock hook'],
    ['CON-15@short', 'unproven', 'no lock hook'],
    ['RES-05', 'unproven', 'option not honoured'],
    ['META-03@foreignKeys', 'unproven', 'no oracle'],
  ])
})

test('what does not apply proves no level by itself', () => {
  const planned = [{ key: 'A-01', rule: '', level: 'core' as const, tentative: false }]
  expect(levelReached(planned, [{ key: 'A-01', verdict: 'inapplicable' }])).toBeUndefined()
  expect(levelReached(planned, [{ key: 'A-01', verdict: 'pass' }])).toBe('core')
})

test('capabilities that are not as expected are a fail', async () => {
  const certificate = await runConformance(
    { ...memory, expects: { ...memory.expects, persistent: 'yes' } },
    { only: ['LIFE-10'] },
  )
  expect(verdictOf(certificate, 'LIFE-10')).toBe('fail')
})

test('a known defect is a deviation, caps the certificate, and has to go when it is fixed', async () => {
  const broken = [{ issue: 'delete lies', checks: ['SES-10'] }]
  const listed = await runConformance(changed(lyingDelete, { broken }), { only: ['SES-10'] })
  expect(listed.checks).toMatchObject([{ verdict: 'deviation' }])
  const fixed = await runConformance({ ...memory, broken }, { only: ['SES-10'] })
  expect(fixed.checks).toMatchObject([{ verdict: 'fail', what: 'fixed: remove the entry from broken' }])
})

test('a check that spoils the witness tenant is caught at that check', async () => {
  const careless = changed((store) =>
    wrapStore(store, {
      sessions: {
        delete: async (key, options) => {
          await store.sessions.delete({ appName: 'witness', userId: 'w1', sessionId: 's1' })
          return store.sessions.delete(key, options)
        },
      },
    }),
  )
  const only = ['SES-05', 'SES-07', 'META-05']
  const oneByOne = await runConformance(careless, { only, lanes: 1 })
  expect(oneByOne.checks.map(({ key, verdict }) => [key, verdict])).toEqual([
    ['SES-05', 'pass'],
    ['SES-07', 'fail'],
    ['META-05', 'fail'],
  ])
  const besideOneAnother = await runConformance(careless, { only })
  expect(besideOneAnother.checks.find(({ key }) => key === 'SES-07')).toMatchObject({
    verdict: 'fail',
    got: expect.stringMatching(/a statement lacks its key(, here or in what ran beside it: SES-05)?$/) as string,
  })
  expect(verdictOf(besideOneAnother, 'META-05')).toBe('fail')
})

test('a place with settings of its own has a witness, too', async () => {
  const careless = (isCareless: boolean): StoreUnderTest => ({
    ...memory,
    async provision(request) {
      const place = await memory.provision(request)
      if (request.settings === undefined) return place
      const open: typeof place.open = async (options) => {
        const store = await place.open(options)
        return wrapStore(store, {
          sessions: {
            create: async (session, given) => {
              if (isCareless && session.appName !== 'witness') await store.state.update(witness, { set: { kept: 2 } }) // the bug
              return store.sessions.create(session, given)
            },
          },
        })
      }
      return { ...place, settings: { any: 'setting' }, open }
    },
  })
  const witness = { appName: 'witness' }
  const judged = async (isCareless: boolean) =>
    (await runConformance(careless(isCareless), { only: ['UNI-16'], canaries: false })).checks
  expect(await judged(false)).toMatchObject([{ key: 'UNI-16', verdict: 'pass' }])
  expect(await judged(true)).toMatchObject([
    { key: 'UNI-16', verdict: 'fail', what: 'the witness tenant is untouched' },
  ])
})

test('a store that breaks under settings of a place before its check begins does not end the run', async () => {
  const breaking: StoreUnderTest = {
    ...memory,
    async provision(request) {
      const place = await memory.provision(request)
      if (request.settings === undefined) return place
      const open: typeof place.open = async (options) =>
        wrapStore(await place.open(options), {
          sessions: { create: () => Promise.reject(new Error('zero is no number here')) },
        })
      return { ...place, settings: { any: 'setting' }, open }
    },
  }
  const { checks } = await runConformance(breaking, { only: ['UNI-16', 'SES-01'], canaries: false })
  expect(checks).toMatchObject([
    { key: 'SES-01', verdict: 'pass' },
    { key: 'UNI-16', verdict: 'error', got: expect.stringContaining('zero is no number here') as string },
  ])
})

const notGood = async (subject: StoreUnderTest, only: readonly string[]) =>
  (await runConformance(subject, { only, canaries: false })).checks.filter(
    ({ verdict }) => verdict === 'fail' || verdict === 'error',
  )

test('a store that does not search by words is asked for none', async () => {
  const only = ['MEM-*', 'SEC-*', 'RES-*', 'TIM-*', 'META-03*']
  expect(await notGood(withoutWords(), only)).toEqual([])
}, 60_000)

test('a store with limits of its own is asked for no more', async () => {
  const most = { eventBytes: 2 ** 20, stateBytes: 2 ** 20, eventNameBytes: 255 }
  expect(await notGood(bounded(most), ['LIM-*'])).toEqual([])
}, 60_000)

test('what was executed has to be what was planned', () => {
  const planned = ['A-01', 'A-02'].map((key) => ({ key, rule: '', level: 'core' as const, tentative: false }))
  expect(planViolations(planned, ['A-01', 'A-02'], ['A'])).toEqual([])
  expect(planViolations(planned, ['A-01'], ['A'])).toHaveLength(1)
  expect(planViolations(planned, ['A-01', 'A-02', 'A-03'], ['A'])).toHaveLength(1)
  expect(planViolations(planned, ['A-01', 'A-02', 'A-02'], ['A'])).toHaveLength(1)
  expect(planViolations(planned, ['A-01', 'A-02'], ['A', 'B'])).toHaveLength(1)
})

test('a contract that the suite does not know is refused, and so is an expects with a key missing', async () => {
  await expect(runConformance({ ...memory, contract: '9.9' })).rejects.toThrow(SubjectError)
  const { isolation: _, ...expects } = memory.expects
  await expect(runConformance({ ...memory, expects: expects as typeof memory.expects })).rejects.toThrow(/isolation/) // what the types forbid
})

test('the certificate of a run verifies, and two runs of one store agree', async () => {
  const [first, second] = [
    await runConformance(memory, { level: 'core', seed: 1 }),
    await runConformance(memory, { level: 'core', seed: 2 }),
  ]
  expect(verifyCertificate(first)).toEqual([])
  expect(first).toMatchObject({ kind: 'full', verdict: 'certified', level: 'core' })
  expect(second.hash).toBe(first.hash)
}, 60_000)
