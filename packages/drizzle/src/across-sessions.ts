import { setTimeout } from 'node:timers' // not the global one, which tests replace
import type { Call } from '@daybook/core'
import type { Append, Appended, Dialect, ErrorKind } from './dialect.ts'
import type { GroupBounds } from './group-commit.ts'
import { bytesOf, isEmptyDelta } from './joint-append.ts'
import { jointCall, Regroup } from './joint-call.ts'
import { alone, isOfAll, isPresent, waitIn, type WaitingAppend } from './waiting-append.ts'

// Appends to different sessions do not wait for each other's rows, but for the cores of the server and for connections, and each
// pays for a statement, a commit and a turn of the network. So a few are under way at a time, and those that come meanwhile
// go together, as one statement, when the first of those has ended. What is under way may wait for a lock that somebody holds
// for long: others do not wait for that.

/** How a database does it, each as {@link Dialect.appendEvents} would. */
export interface AcrossSessions {
  /** Appends of a group at most. */
  readonly most: number
  /** With so many statements under way, what comes waits for one of them to end. */
  readonly atOnce: number
  /** What else it wants of an append that goes with others. */
  readonly takes?: (append: Append) => boolean
  /**
   * @param appends to different sessions, in the order of their keys; no two change the state of one user
   * @returns `undefined` for one that goes by itself after all, and instead of all of them where it cannot be told which one that is:
   *   nothing was written of it then
   */
  send(appends: readonly Append[], call: Call): Promise<readonly (Appended | undefined)[] | undefined>
}

type Send = NonNullable<Dialect['appendEvents']>

/** Appends of one event that may change the state of their session and of their user, and ask nothing of the row. */
const isCommon = (append: Append): boolean =>
  append.events.length === 1 &&
  append.expectedRevision === undefined &&
  append.lease === undefined &&
  append.joint === undefined &&
  append.compactMark === undefined &&
  append.wantsStates !== true &&
  isEmptyDelta(append.deltas.app)

/** Milliseconds after which those that wait go, whatever is under way. */
const longestWait = 5

/** What is wrong for all of a group. A lock is not among that: a group waits for none for long, and whose it is waits alone. */
const ofAll: ReadonlySet<ErrorKind> = new Set(['connection', 'closed', 'nobody_listens', 'read_only'])

/** @param send appends to one session */
export function acrossSessions(
  { failureOf }: Pick<Dialect, 'failureOf'>,
  send: Send,
  across: AcrossSessions,
  bounds: GroupBounds,
): Send {
  const appends = Math.min(bounds.appends, across.most)
  if (appends === 1) return send // to wait would be of no use
  const waiting: WaitingAppend[] = []
  let underWay = 0
  let timer: NodeJS.Timeout | undefined

  /** Where those that waited long made it more, nobody takes the place of who ends: else that many there would be for good, each with fewer appends. */
  function ended(): void {
    underWay--
    if (waiting.length > 0 && underWay < across.atOnce) next()
  }

  function next(): void {
    underWay++
    void together(taken(waiting, { ...bounds, appends })).finally(ended)
  }

  function late(): void {
    timer = undefined
    while (waiting.length > 0) next()
  }

  async function together(members: readonly WaitingAppend[]): Promise<void> {
    for (;;) {
      const present = members.filter(isPresent)
      const [first] = present
      if (first === undefined) return
      if (present.length === 1) return alone(first, send)
      const call = jointCall(present.map((member) => member.call))
      try {
        const batch = present.map(({ append }) => append)
        const appended = await across.send(batch, call)
        if (appended !== undefined) return shareOut(present, appended)
      } catch (error) {
        if (error instanceof Regroup) continue
        if (isOfAll(error, call, failureOf, ofAll)) {
          for (const { fail } of present) fail(error)
          return
        }
      } finally {
        call.end()
      }
      call.settled()
      // One of them is not as it should be. It fails alone, and may take its time.
      for (const member of present) if (isPresent(member)) void alone(member, send)
      return
    }
  }

  function shareOut(members: readonly WaitingAppend[], answers: readonly (Appended | undefined)[]): void {
    for (const [i, member] of members.entries()) {
      const own = answers[i]
      if (own !== undefined) {
        member.answer(own)
        continue
      }
      member.call.settled()
      if (isPresent(member)) void alone(member, send)
    }
  }

  return async (append, call) => {
    if (!isCommon(append) || across.takes?.(append) === false) return send(append, call)
    if (underWay >= across.atOnce) {
      timer ??= setTimeout(late, longestWait).unref()
      return waitIn(waiting, (member) => member, { append, call }, 'appends that came before it')
    }
    underWay++
    try {
      return await send(append, call)
    } finally {
      ended()
    }
  }
}

/** The first that wait, as far as they can go together: of one user only one that changes the state of that user. */
function taken(waiting: WaitingAppend[], bounds: GroupBounds): readonly WaitingAppend[] {
  const users = new Set<string>()
  const group: WaitingAppend[] = []
  const rest: WaitingAppend[] = []
  let bytes = 0
  for (const member of waiting) {
    const { key, deltas } = member.append
    const user = isEmptyDelta(deltas.user) ? undefined : JSON.stringify([key.appName, key.userId])
    const size = bytesOf(member.append)
    const isFull = group.length === bounds.appends || bytes + size > bounds.bytes
    if (group.length > 0 && (isFull || (user !== undefined && users.has(user)))) {
      rest.push(member)
      continue
    }
    if (user !== undefined) users.add(user)
    bytes += size
    group.push(member)
    member.call.waitsFor(undefined)
  }
  waiting.splice(0, waiting.length, ...rest)
  return group.toSorted(byKey)
}

/** Locks are taken in one order, so that two groups hardly ever wait for each other. */
const byKey = ({ append: { key: a } }: WaitingAppend, { append: { key: b } }: WaitingAppend): number =>
  compared(a.appName, b.appName) || compared(a.userId, b.userId) || compared(a.sessionId, b.sessionId)

const compared = (a: string, b: string): number => (a < b ? -1 : Number(a > b))
