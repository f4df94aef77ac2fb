import type { Append } from '../contender.ts'
import { grownAt, grownUser, longest } from '../growth.ts'
import { listNewest } from './list.ts'
import type { Sequential } from './workload.ts'

const writers = 32

/** On a database of so many sessions of 100 events. */
export const grown = (sessions: number, events: string): readonly Sequential[] => [
  {
    id: `W7-append-${events}`,
    title: `append to one of ${writers} random sessions of a database of ${events} events`,
    rounds: 30,
    chunk: 5,
    async begin(contender, data) {
      const count = Math.min(writers, sessions)
      const appends: Append[] = []
      for (let i = 0; i < count; i++) appends.push(await contender.writer(grownAt(data.int(sessions))))
      let turn = 0
      return () => {
        const event = data.event()
        const write = appends[turn++ % count]
        return async () => write?.(event)
      }
    },
  },
  {
    id: `W7-load-${events}`,
    title: `load the newest 50 events of a random session of a database of ${events} events`,
    rounds: 30,
    chunk: 4,
    begin: async (contender, data) => () => {
      const key = grownAt(data.int(sessions))
      return () => contender.load(key, 50)
    },
  },
  listNewest(`W7-list-${events}`, `list the 50 newest of the ${events} sessions of one user`, grownUser, false),
]

export const long: readonly Sequential[] = [
  {
    id: 'W10-append',
    title: 'append to a session of 10,000 events',
    rounds: 20,
    chunk: 3,
    async begin(contender, data) {
      const append = await contender.writer(longest)
      return () => {
        const event = data.event()
        return () => append(event)
      }
    },
  },
  {
    id: 'W10-load',
    title: 'load all of a session of 10,000 events',
    rounds: 5,
    chunk: 1,
    begin: async (contender) => () => () => contender.load(longest, 100_000),
  },
]
