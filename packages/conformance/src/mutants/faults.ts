import { isStoreError, StoreError, type ErrorCode, type JoinedStore, type Store } from '@daybook/core'
import type { CallerTransaction, Place } from '../define.ts'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { listOf } from './answers.ts'
import { appendLater } from './race-appends.ts'

/** The store with something else done when a method fails with a code of the contract. */
function onFailure<S extends object>(store: S, code: ErrorCode, instead: (error: StoreError) => unknown): S {
  const spoilt = (target: object): object =>
    new Proxy(target, {
      get(_target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof value === 'object' && value !== null) return spoilt(value)
        if (typeof value !== 'function') return value
        return (...args: readonly unknown[]): unknown => {
          const answer: unknown = value.apply(target, args) // apply answers any
          if (!(answer instanceof Promise)) return answer
          return answer.catch((error: unknown) => {
            if (isStoreError(error) && error.code === code) return instead(error)
            throw error
          })
        }
      },
    })
  return spoilt(store) as S // the same members
}

const told =
  (code: ErrorCode, instead: ErrorCode) =>
  <S extends object>(store: S): S =>
    onFailure(store, code, ({ message, cause }) => {
      throw new StoreError(instead, message, { cause })
    })

const swallowed =
  (code: ErrorCode) =>
  (store: Store): Store =>
    onFailure(store, code, () => undefined)

/** Once it could not reach the database it says so for ever. */
function staysAway(store: Store): Store {
  let last: StoreError | undefined
  return wrapStore(
    onFailure(store, 'unavailable', (error) => {
      last = error
      throw error
    }),
    {
      events: {
        append: (key, events, options) =>
          last === undefined ? store.events.append(key, events, options) : Promise.reject(last),
      },
    },
  )
}

/** One unit for each event of a batch. */
export const eventByEvent = <S extends JoinedStore>(store: S): S =>
  wrapStore(store, {
    events: {
      append: async (key, events, options) => {
        const [first, ...others] = listOf(events)
        if (first === undefined) return store.events.append(key, events, options)
        let answer = await store.events.append(key, first, options)
        const answers = [...answer.events]
        for (const event of others) {
          answer = await store.events.append(key, event, options)
          answers.push(...answer.events)
        }
        return { ...answer, events: answers }
      },
    },
  })

/** Erases a session, and takes that for all. */
const firstOne = (store: Store): Store =>
  wrapStore(store, {
    erase: async (user, options) => {
      const { items } = await store.sessions.list({ ...user, limit: 1, ...options })
      for (const session of items) await store.sessions.delete(session)
      return { sessions: items.length, events: 0, userStates: 0, memories: 0, artifacts: 0, metrics: 0 }
    },
  })

const lateIsInternal = (real: CallerTransaction): CallerTransaction => ({
  rows: () => real.rows(),
  run: (store, body) =>
    real.run(store, (joined, own) =>
      body(told('timeout', 'internal')(told('busy', 'internal')(told('outcome_unknown', 'internal')(joined))), own),
    ),
})

/** The parts of a place that open stores whose disk fails, with the bug in those stores. */
export function spoiltStorage(
  storage: NonNullable<Place['storage']>,
  wrap: (store: Store) => Store,
): NonNullable<Place['storage']> {
  const spoilt = (trouble: (typeof storage)['full']): (typeof storage)['full'] =>
    trouble &&
    (async () => {
      const failing = await trouble()
      return { store: wrap(failing.store), mend: () => failing.mend() }
    })
  const [full, readOnly] = [spoilt(storage.full), spoilt(storage.readOnly)]
  return { ...(full !== undefined && { full }), ...(readOnly !== undefined && { readOnly }) }
}

const diskBug = 'a write that the disk refused is taken for done'

export const faultMutants: readonly Mutant[] = [
  {
    id: 'M120',
    bug: 'a commit that may be done is told as not done',
    check: 'FLT-02',
    wrap: told('outcome_unknown', 'unavailable'),
  },
  {
    id: 'M121',
    bug: 'an unknown outcome does not name the ids that the store made up',
    check: 'FLT-02@ids',
    wrap: told('outcome_unknown', 'outcome_unknown'),
  },
  {
    id: 'M550',
    bug: 'a save that may be done is told as not done',
    check: 'FLT-02@files',
    wrap: told('outcome_unknown', 'unavailable'),
  },
  {
    id: 'M551',
    bug: 'an unknown save does not name its id',
    check: 'FLT-02@files',
    wrap: told('outcome_unknown', 'outcome_unknown'),
  },
  {
    id: 'M643',
    bug: 'a batch of metrics that may be stored is told as not stored',
    check: 'FLT-02@metrics',
    wrap: told('outcome_unknown', 'unavailable'),
  },
  {
    id: 'M644',
    bug: 'an unknown batch of metrics does not name its ids',
    check: 'FLT-02@metrics',
    wrap: told('outcome_unknown', 'outcome_unknown'),
  },
  {
    id: 'M552',
    bug: 'a save that is repeated is another one',
    check: 'FLT-02@files',
    wrap: (store) =>
      wrapStore(store, {
        artifacts: {
          save: (key, content, { saveId: _saveId, ...options } = {}) => store.artifacts.save(key, content, options),
        },
      }),
  },
  {
    id: 'M122',
    bug: 'a write without a connection is taken for done',
    check: 'FLT-01@each',
    wrap: swallowed('unavailable'),
  },
  {
    id: 'M123',
    bug: 'to run out of time is told as unavailable',
    check: 'FLT-05',
    wrap: told('timeout', 'unavailable'),
  },
  {
    id: 'M124',
    bug: 'a call that waits for the network does not hear its signal',
    check: 'FLT-05@network',
    wrap: (store) =>
      wrapStore(store, { sessions: { list: ({ signal: _signal, ...query }) => store.sessions.list(query) } }),
  },
  { id: 'M125', bug: 'once it could not reach the database it says so for ever', check: 'FLT-06', wrap: staysAway },
  { id: 'M126', bug: 'a batch is a unit for each event', check: 'FLT-03', wrap: eventByEvent },
  {
    id: 'M127',
    bug: 'what the rollback met hides what led to it',
    check: 'FLT-10',
    wrap: told('conflict', 'unavailable'),
  },
  { id: 'M128', bug: 'an append is acknowledged before it is written', check: 'FLT-06@killed', wrap: appendLater },
  { id: 'M129', bug: diskBug, check: 'FLT-09', wrap: swallowed('unavailable') },
  { id: 'M130', bug: diskBug, check: 'FLT-09@readOnly', wrap: swallowed('unavailable') },
  {
    id: 'M131',
    bug: 'an error that nobody knows is taken for a lost connection',
    check: 'ERR-10',
    wrap: told('internal', 'unavailable'),
  },
  {
    id: 'M132',
    bug: 'an erasure of which nobody knows the end is taken for complete',
    check: 'ERA-05',
    wrap: swallowed('outcome_unknown'),
  },
  { id: 'M133', bug: 'an erasure ends after its first session', check: 'ERA-05@killed', wrap: firstOne },
  {
    id: 'M134',
    bug: 'a call in a transaction that runs out of time says that it does not know why',
    check: 'TXN-10',
    wrap: (store) => store,
    transaction: lateIsInternal,
    fact: 'concurrentWriters', // elsewhere the transaction does not even begin
  },
]
