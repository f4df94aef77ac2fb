import type { JoinedStore, Store } from '@daybook/core'
import type { CallerTransaction } from '../define.ts'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { listOf } from './answers.ts'
import { eventByEvent } from './faults.ts'

/** A joined store that does something else; the caller's own rows are as they were. */
export const joinedAs =
  (spoil: (joined: JoinedStore, store: Store, isOver: () => boolean) => JoinedStore) =>
  (real: CallerTransaction): CallerTransaction => ({
    rows: () => real.rows(),
    run: async (store, body) => {
      let isOver = false
      try {
        return await real.run(store, (joined, own) =>
          body(
            spoil(joined, store, () => isOver),
            own,
          ),
        )
      } finally {
        isOver = true
      }
    },
  })

/** Its first half hears of no cut, and its second one waits for it: how fast machine and database are decides nothing then. */
const halfByHalf = (joined: JoinedStore): JoinedStore =>
  wrapStore(joined, {
    events: {
      append: async (key, events, options) => {
        const [first, ...rest] = listOf(events)
        const { signal, ...others } = options ?? {}
        if (first === undefined || rest.length === 0 || signal === undefined)
          return joined.events.append(key, events, options)
        const half = await joined.events.append(key, first, others)
        if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        const whole = await joined.events.append(key, rest, options)
        return { ...whole, events: [...half.events, ...whole.events] }
      },
    },
  })

/** Bugs in the caller's transaction. */
export const transactionMutants: readonly Mutant[] = [
  {
    id: 'M327',
    bug: 'what is done in a transaction is done outside of it',
    check: 'TXN-03',
    wrap: (store) => store,
    transaction: joinedAs((joined, store) =>
      wrapStore(joined, { events: { list: (key, query) => store.events.list(key, query) } }),
    ),
    fact: 'concurrentWriters', // elsewhere it would wait for the transaction that it is in
  },
  {
    id: 'M328',
    bug: 'what is done in a transaction is done outside of it',
    check: 'TXN-03@before',
    wrap: (store) => store,
    transaction: joinedAs((joined, store) =>
      wrapStore(joined, { events: { append: (key, events, options) => store.events.append(key, events, options) } }),
    ),
    fact: 'concurrentWriters',
  },
  {
    id: 'M329',
    bug: 'a joined store goes on after the transaction, by itself',
    check: 'TXN-07',
    wrap: (store) => store,
    transaction: joinedAs((joined, store, isOver) =>
      wrapStore(joined, {
        sessions: { get: (key, options) => (isOver() ? store : joined).sessions.get(key, options) },
      }),
    ),
  },
  {
    id: 'M330',
    bug: 'calls beside one another in a transaction are taken for done',
    check: 'TXN-08',
    wrap: (store) => store,
    transaction: joinedAs((joined) => {
      let isBusy = false
      return wrapStore(joined, {
        events: {
          append: async (key, events, options) => {
            if (isBusy) return { events: [], revision: 1 }
            isBusy = true
            return joined.events.append(key, events, options).finally(() => (isBusy = false))
          },
        },
      })
    }),
  },
  {
    id: 'M331',
    bug: 'a known event is not known in a transaction',
    check: 'TXN-11',
    wrap: (store) => store,
    transaction: joinedAs((joined) =>
      wrapStore(joined, {
        events: {
          append: async (key, events, options) => {
            const answer = await joined.events.append(key, events, options)
            return { ...answer, events: answer.events.map((one) => ({ ...one, duplicate: false })) }
          },
        },
      }),
    ),
  },
  {
    id: 'M378',
    bug: 'a call in a transaction that fails leaves its first half there',
    check: 'TXN-06',
    wrap: (store) => store,
    transaction: joinedAs((joined) => eventByEvent(joined)),
  },
  {
    id: 'M379',
    bug: 'a call in a transaction that is given up leaves its first half there',
    check: 'TXN-06@cut',
    wrap: (store) => store,
    transaction: joinedAs((joined) => halfByHalf(joined)),
  },
  {
    id: 'M554',
    bug: 'an append in a transaction does not tell what others appended',
    check: 'TXN-05@others',
    wrap: (store) => store,
    transaction: joinedAs((joined) =>
      wrapStore(joined, {
        events: {
          append: async (key, events, options) => ({
            ...(await joined.events.append(key, events, options)),
            newEvents: [],
          }),
        },
      }),
    ),
    fact: 'concurrentWriters',
  },
]
