import type { Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { mapEvents } from './answers.ts'

const mapTimes = (store: Store, map: (time: number) => number): Store =>
  mapEvents(store, (event) => ({ ...event, timestamp: map(event.timestamp) }))

/** A time as its wall clock shows it in one zone, and read from that again. */
function byWallClock(time: number): number {
  const date = new Date(time)
  const read = new Date(
    date.getFullYear(),
    date.getMonth(),
    date.getDate(),
    date.getHours(),
    date.getMinutes(),
    date.getSeconds(),
    date.getMilliseconds(),
  )
  return read.getTime() + (time - date.getTime())
}

/** Summer time as Berlin has it in 2024: the hour that comes twice is written once. */
const inBerlin = (time: number): number => {
  const back = Date.UTC(2024, 9, 27, 1)
  return time >= back && time < back + 3_600_000 ? time - 3_600_000 : byWallClock(time)
}

/** Times, gone wrong. */
export const timeMutants: readonly Mutant[] = [
  {
    id: 'M300',
    bug: 'times are written as a wall clock shows them',
    check: 'TIM-04',
    wrap: (store) => mapTimes(store, inBerlin),
  },
  {
    id: 'M301',
    bug: 'times are seconds of 32 bits',
    check: 'TIM-05',
    wrap: (store) => mapTimes(store, (time) => ((time / 1000) % 2 ** 31) * 1000),
  },
  {
    id: 'M302',
    bug: 'since and after are cut to milliseconds',
    check: 'TIM-06',
    wrap: (store) =>
      wrapStore(store, {
        events: {
          list: (key, { since, after, ...query } = {}) =>
            store.events.list(key, {
              ...query,
              ...(since !== undefined && { since: Math.floor(since) }),
              ...(after !== undefined && { after: Math.floor(after) }),
            }),
        },
      }),
  },
  {
    id: 'M303',
    bug: 'times are rounded to milliseconds',
    check: 'TIM-08',
    wrap: (store) => mapTimes(store, Math.round),
  },
  {
    id: 'M304',
    bug: 'times come as the driver reads them',
    check: 'TIM-09',
    wrap: (store) => mapTimes(store, (time) => new Date(time) as unknown as number), // the bug
  },
]
