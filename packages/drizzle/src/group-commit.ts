import { nextTick } from 'node:process'
import { setImmediate } from 'node:timers' // not the global one, which tests replace
import { checkedCount, membersOf, type Call } from '@daybook/core'
import type { Append, Appended, Dialect, ErrorKind } from './dialect.ts'
import { bytesOf, joined, shares } from './joint-append.ts'
import { jointCall, Regroup } from './joint-call.ts'
import { alone, isOfAll, isPresent, waitIn, type WaitingAppend } from './waiting-append.ts'

// Appends that would wait for each other anyway wait here: on a server those to one session, for the lock of its row; where
// the database takes one writer at a time, all of them. Those that come while one is under way go together when it is done:
// the appends to one session as one append of many events, those to different sessions in one commit. Nothing waits for more
// to come: an append that finds none under way is sent at once, and one that is alone when its turn comes is sent as it is.

/** How much goes together at most. */
export interface GroupBounds {
  readonly appends: number
  /** Of events and deltas, about. */
  readonly bytes: number
}

const standard: GroupBounds = { appends: 100, bytes: 1024 * 1024 }

/** What the option `groupCommit` says; `undefined`: each append by itself. */
export function checkedGroupCommit(groupCommit: unknown): GroupBounds | undefined {
  if (groupCommit === false) return undefined
  if (groupCommit === undefined || groupCommit === true) return standard
  const given = membersOf(groupCommit, 'groupCommit', ['appends', 'bytes'])
  const bound = (name: keyof GroupBounds) =>
    given[name] === undefined ? standard[name] : checkedCount(given[name], `groupCommit.${name}`, { min: 1 })
  return { appends: bound('appends'), bytes: bound('bytes') }
}

interface Ways {
  /** Appends, all or nothing. */
  readonly send: NonNullable<Dialect['appendEvents']>
  /** See {@link Dialect.appendTogether}. Absent: only appends to one session go together. */
  readonly sendAll?: NonNullable<Dialect['appendTogether']> | undefined
}

interface Member extends WaitingAppend {
  /** Its session by name, once somebody has asked. */
  session: string | undefined
  /** Whether it may become one append with others: what an append asks of the session's row is asked of it alone. */
  readonly isSociable: boolean
}

/** What waits for the same thing, while an append to that is under way. */
interface Lane {
  readonly waiting: Member[]
  /** When the event loop last turned between two of them: at first when the first one went. */
  since: number
  /** The last one was answered, nobody waited, and nothing else has run since but who heard the answer: what comes is the next step of that. */
  isFollowed: boolean
}

/** Milliseconds that appends which follow each other may keep the event loop from turning. */
const longestStretch = 2

/** What is wrong with the database, or with nobody in particular: all of a group are told, and each tries again by itself. */
const ofNobody: ReadonlySet<ErrorKind> = new Set([
  'contention',
  'locked',
  'connection',
  'closed',
  'nobody_listens',
  'read_only',
])

export function createGroupCommit(
  { failureOf, holdsThread }: Pick<Dialect, 'failureOf' | 'holdsThread'>,
  { send, sendAll }: Ways,
  bounds: GroupBounds,
): (append: Append, call: Call, isSociable: boolean) => Promise<Appended | undefined> {
  const lanes = new Map<string, Lane>()
  const crowd = sendAll === undefined ? 'an append to the same session' : 'an append before it'

  function next(name: string): void {
    const lane = lanes.get(name)
    const group = lane === undefined ? [] : taken(lane.waiting, bounds, sendAll !== undefined)
    const [only] = group
    if (lane === undefined || only === undefined) lanes.delete(name)
    else if (group.length > 1) void together(group).finally(() => free(name))
    else {
      lane.since = performance.now()
      void inTurn(only, lane, name)
    }
  }

  /** Who holds the thread lets nobody come meanwhile: the others come in the turn of the event loop after it. */
  function free(name: string): void {
    if (holdsThread === true) setImmediate(next, name)
    else next(name)
  }

  /**
   * One that nobody waits for. Where the thread is held, its caller may go on with the next one at once; others come in the next turn.
   *
   * @param name of the lane, where it is to be freed afterwards
   */
  async function lone(lane: Lane, append: Append, call: Call, name?: string): Promise<Appended | undefined> {
    lane.isFollowed = false
    try {
      return await send(append, call)
    } finally {
      if (holdsThread === true && lane.waiting.length === 0) {
        lane.isFollowed = true
        nextTick(unfollow, lane)
      }
      if (name !== undefined) free(name)
    }
  }

  /** One whose turn came, and nobody waits with it. */
  async function inTurn(member: Member, lane: Lane, name: string): Promise<void> {
    if (!isPresent(member)) return free(name)
    try {
      member.answer(await lone(lane, member.append, member.call, name))
    } catch (error) {
      member.fail(error)
    }
  }

  async function together(members: readonly Member[]): Promise<void> {
    for (;;) {
      const present = members.filter((member) => isPresent(member))
      const [first] = present
      if (first === undefined) return
      if (present.length === 1) return alone(first, send)
      const call = jointCall(present.map((member) => member.call))
      const parts = partsOf(present)
      let left: readonly Member[] = present
      try {
        const appends = parts.map((part) => joined(part.map(({ append }) => append)))
        left = shareOut(parts, await commit(appends, call))
        for (const member of left) member.call.settled()
      } catch (error) {
        if (error instanceof Regroup) continue
        if (isOfAll(error, call, failureOf, ofNobody)) {
          for (const { fail } of present) fail(error)
          return
        }
        call.settled()
      } finally {
        call.end()
      }
      // One of them is not as it should be. It fails alone.
      for (const member of left) if (isPresent(member)) await alone(member, send)
      return
    }
  }

  async function commit(appends: readonly Append[], call: Call): Promise<readonly (Appended | undefined)[]> {
    const [only] = appends
    return sendAll === undefined || (appends.length === 1 && only !== undefined)
      ? Promise.all(appends.map((append) => send(append, call)))
      : sendAll(appends, call)
  }

  return (append, call, isSociable) => {
    const name = sendAll === undefined ? sessionOf(append) : ''
    const known = lanes.get(name)
    if (known === undefined) {
      const fresh: Lane = { waiting: [], since: performance.now(), isFollowed: false }
      lanes.set(name, fresh)
      return lone(fresh, append, call, name)
    }
    if (known.isFollowed && performance.now() - known.since < longestStretch) return lone(known, append, call)
    return waitIn(known.waiting, (waiting) => ({ ...waiting, session: undefined, isSociable }), { append, call }, crowd)
  }
}

function unfollow(lane: Lane): void {
  lane.isFollowed = false
}

const sessionOf = ({ key: { appName, userId, sessionId } }: Append): string =>
  JSON.stringify([appName, userId, sessionId])

/** The first that wait, in their order, as far as they can go together. */
function taken(waiting: Member[], bounds: GroupBounds, isMixed: boolean): readonly Member[] {
  if (waiting.length < 2) return waiting.splice(0)
  const ids = new Set<string>()
  let [count, bytes, events] = [0, 0, 0]
  for (const member of waiting) {
    const { append, isSociable } = member
    bytes += bytesOf(append)
    events += append.events.length
    const isTooMany = count === bounds.appends || bytes > bounds.bytes || events > append.limits.batchEvents
    const session = (member.session ??= sessionOf(append))
    const names = append.events.map(({ eventId }) => `${session}${eventId}`)
    if (count > 0 && (isTooMany || (!isSociable && !isMixed) || names.some((name) => ids.has(name)))) break
    for (const name of names) ids.add(name)
    count++
    if (!isSociable && !isMixed) break
  }
  return waiting.splice(0, count)
}

/** What becomes one append each: those to one session, as far as they are sociable. */
function partsOf(members: readonly Member[]): readonly (readonly Member[])[] {
  const parts: Member[][] = []
  const open = new Map<string, Member[]>()
  for (const member of members) {
    const session = (member.session ??= sessionOf(member.append))
    const part = member.isSociable ? open.get(session) : undefined
    if (part !== undefined) {
      part.push(member)
      continue
    }
    const own = [member]
    parts.push(own)
    if (member.isSociable) open.set(session, own)
    else open.delete(session)
  }
  return parts
}

/** Tells all whose part was written, and answers the others. */
function shareOut(
  parts: readonly (readonly Member[])[],
  answers: readonly (Appended | undefined)[],
): readonly Member[] {
  return parts.flatMap((part, i) => {
    const appended = answers[i]
    if (appended === undefined) return part
    const own = shares(
      part.map(({ append }) => append),
      appended,
    )
    for (const [n, { answer }] of part.entries()) answer(own[n])
    return []
  })
}
