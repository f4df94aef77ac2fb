import { isStoreError } from '@daybook/core'
import type { Event } from '@google/adk'
import type { Appended } from './live-session.ts'

interface Waiting extends Appended {
  readonly resolve: (event: Event) => void
  readonly reject: (error: unknown) => void
}

/** Takes an event, and resolves when it is stored and has moved its session object. */
export type AppendQueue = (appended: Appended) => Promise<Event>

/**
 * The appends of one session object: stored in the order of the calls, and never two at once, so that neither what is stored
 * nor what moves the object overtakes. What has to wait goes together, as one append.
 *
 * @param commit stores a group, or none of it, and moves the object
 */
export function createAppendQueue(commit: (group: readonly Appended[]) => Promise<void>, longest: number): AppendQueue {
  const waiting: Waiting[] = []
  let isBusy = false

  async function work(): Promise<void> {
    isBusy = true
    while (waiting.length > 0) await settle(waiting.splice(0, groupLength(waiting, longest)))
    isBusy = false
  }

  async function settle(group: readonly Waiting[]): Promise<void> {
    try {
      await commit(group)
      for (const { event, resolve } of group) resolve(event)
    } catch (error) {
      // One that is refused takes no other with it.
      if (group.length > 1 && isRefusal(error)) for (const one of group) await settle([one])
      else for (const { reject } of group) reject(error)
    }
  }

  return (appended) =>
    new Promise((resolve, reject) => {
      waiting.push({ ...appended, resolve, reject })
      if (!isBusy) void work()
    })
}

/** How many of those that wait fit into one append, where an id has one payload. */
function groupLength(waiting: readonly Waiting[], longest: number): number {
  const ids = new Set<string>()
  const repeated = waiting.findIndex(({ stored: { id } }) => ids.size === ids.add(id).size)
  return Math.min(repeated < 0 ? waiting.length : repeated, longest)
}

const refusals: ReadonlySet<string> = new Set(['conflict', 'invalid_argument', 'limit_exceeded'])
const isRefusal = (error: unknown) => isStoreError(error) && refusals.has(error.code)
