import type { AgentEvent, AppendResult, SessionKey, Store } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { listOf, nameOf } from './answers.ts'

interface Member {
  readonly key: SessionKey
  readonly events: readonly AgentEvent[]
  readonly answer: (result: AppendResult) => void
  readonly fail: (error: unknown) => void
}

/** How a group goes wrong. */
interface Bug {
  /** Those of a group that are sent. */
  readonly sent?: (group: readonly Member[]) => readonly Member[]
  /** Who gets the answers, in the order of the events. */
  readonly answered?: (group: readonly Member[]) => readonly Member[]
  /** Members are sent again when the group fails. Default: one by one. */
  readonly failsTogether?: true
  readonly sharesRevision?: true
}

/** Sends what waits for a session as one append, and shares out the answer. */
const grouping =
  ({ sent = (group) => group, answered = (group) => group, failsTogether, sharesRevision }: Bug) =>
  (store: Store): Store => {
    const waiting = new Map<string, Member[]>()

    async function send(group: readonly Member[]): Promise<void> {
      const [first] = group
      if (first === undefined) return
      try {
        const result = await store.events.append(
          first.key,
          sent(group).flatMap(({ events }) => events),
        )
        let place = (result.events[0]?.seq ?? 1) - 1
        for (const [i, member] of answered(group).entries()) {
          const events = group[i]?.events ?? []
          member.answer({
            events: member.events.map(({ id = '' }, n) => ({ id, seq: place + n + 1, duplicate: false })),
            revision: sharesRevision === true ? result.revision : result.revision + i,
          })
          place += events.length
        }
      } catch (error) {
        if (failsTogether === true) for (const { fail } of group) fail(error)
        else
          for (const { key, events, answer, fail } of group) await store.events.append(key, events).then(answer, fail)
      }
    }

    return wrapStore(store, {
      events: {
        append: (key, events, options) => {
          // What is said of known ids changes nothing for those that are new.
          const isAlone = Object.keys(options ?? {}).some((name) => name !== 'onDuplicate')
          if (isAlone || listOf(events).some(({ id }) => id === undefined))
            return store.events.append(key, events, options)
          return new Promise<AppendResult>((answer, fail) => {
            const lane = nameOf(key)
            const group = waiting.get(lane) ?? []
            if (group.length === 0) {
              setImmediate(() => {
                waiting.delete(lane)
                void send(group)
              })
            }
            waiting.set(lane, group)
            group.push({ key, events: structuredClone(listOf(events)), answer, fail })
          })
        },
      },
    })
  }

/** Appends of a turn of the event loop to whatever sessions, each of which goes on its own. */
const inTurns =
  (settle: (store: Store, members: readonly Member[]) => Promise<void>) =>
  (store: Store): Store => {
    let waiting: Member[] = []
    return wrapStore(store, {
      events: {
        append: (key, events, options) => {
          if (options !== undefined || listOf(events).some(({ id }) => id === undefined))
            return store.events.append(key, events, options)
          return new Promise<AppendResult>((answer, fail) => {
            if (waiting.length === 0) {
              setImmediate(() => {
                const members = waiting
                waiting = []
                void settle(store, members)
              })
            }
            waiting.push({ key, events: structuredClone(listOf(events)), answer, fail })
          })
        },
      },
    })
  }

/** Each is written; the one after it, to another session, is told its place. */
const answersGoRound = inTurns(async (store, members) => {
  const outcomes = await Promise.allSettled(members.map(({ key, events }) => store.events.append(key, events)))
  for (const [i, member] of members.entries()) {
    const [own, next] = [outcomes[i], outcomes[(i + 1) % members.length]]
    if (own?.status === 'rejected') member.fail(own.reason)
    if (own?.status !== 'fulfilled') continue
    const { events, revision } = next?.status === 'fulfilled' ? next.value : own.value
    const place = (events[0]?.seq ?? 1) - (own.value.events[0]?.seq ?? 1)
    member.answer({ events: own.value.events.map((one) => ({ ...one, seq: one.seq + place })), revision })
  }
})

/** Behind one that is refused, the others are acknowledged and not written. */
const refusalEndsAll = inTurns(async (store, members) => {
  let isOver = false
  for (const { key, events, answer, fail } of members) {
    const session = isOver ? await store.sessions.get(key) : undefined
    if (session === undefined) {
      await store.events.append(key, events).then(answer, (error: unknown) => {
        isOver = true
        fail(error)
      })
      continue
    }
    const { lastSeq, revision } = session
    answer({
      events: events.map(({ id = '' }, n) => ({ id, seq: lastSeq + n + 1, duplicate: false })),
      revision: revision + 1,
    })
  }
})

/** Appends that go together, each in its own way wrong. */
export const groupMutants: readonly Mutant[] = [
  {
    id: 'M370',
    bug: 'of appends that go together, one gets the answer of another',
    check: 'CON-17',
    isRace: true,
    wrap: grouping({ answered: (group) => [...group.slice(1), ...group.slice(0, 1)] }),
  },
  {
    id: 'M371',
    bug: 'of appends that go together, the last is acknowledged and not sent',
    check: 'CON-17',
    isRace: true,
    wrap: grouping({ sent: (group) => (group.length > 1 ? group.slice(0, -1) : group) }),
  },
  {
    id: 'M372',
    bug: 'appends that go together fail together',
    check: 'CON-17',
    isRace: true,
    wrap: grouping({ failsTogether: true }),
  },
  {
    id: 'M373',
    bug: 'appends that go together share one revision',
    check: 'CON-17',
    isRace: true,
    wrap: grouping({ sharesRevision: true }),
  },
  {
    id: 'M374',
    bug: 'appends that go together are written in another order than they are answered',
    check: 'CON-17',
    isRace: true,
    wrap: grouping({ sent: (group) => group.toReversed() }),
  },
  {
    id: 'M395',
    bug: 'of appends that come at once to several sessions, one is told the place of another',
    check: 'CON-17@sessions',
    isRace: true,
    wrap: answersGoRound,
  },
  {
    id: 'M396',
    bug: 'of appends that come at once to several sessions, those behind one that is refused are acknowledged and not written',
    check: 'CON-17@sessions',
    isRace: true,
    wrap: refusalEndsAll,
  },
]
