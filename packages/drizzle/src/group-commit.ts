import { checkedCount, isStoreError, membersOf, scopes, StoreError, type Call, type Scope } from '@daybook/core'
import type { Append, Appended, Dialect, ErrorKind, StoredDelta } from './dialect.ts'

// Appends to one session wait for each other anyway: for the lock of its row. Those that come while one is under way wait
// here instead, and then go together as one append of many events. Nothing waits for more to come: an append that finds none
// under way is sent at once, and one that is alone when its turn comes is sent as it is.

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

type Send = NonNullable<Dialect['appendEvents']>

interface Member {
  readonly append: Append
  readonly call: Call
  /** Whether it may go with others: what an append asks of the session's row is asked of it alone. */
  readonly isSociable: boolean
  readonly bytes: number
  readonly answer: (appended: Appended | undefined) => void
  readonly fail: (error: unknown) => void
}

/** What is wrong with the database, or with nobody in particular: all of a group are told, and each tries again by itself. */
const ofNobody: ReadonlySet<ErrorKind> = new Set([
  'contention',
  'locked',
  'connection',
  'closed',
  'nobody_listens',
  'read_only',
])

/** A member gave up before the group was sent; it goes without it. */
class Regroup extends StoreError {
  constructor() {
    super('aborted', 'one of the appends that go together is over')
  }
}

/** @param send what appends, all or nothing */
export function createGroupCommit(
  { failureOf }: Pick<Dialect, 'failureOf'>,
  send: Send,
  bounds: GroupBounds,
): (append: Append, call: Call, isSociable: boolean) => Promise<Appended | undefined> {
  /** What waits for a session, where an append to it is under way. */
  const lanes = new Map<string, Member[]>()

  function next(lane: string): void {
    const waiting = lanes.get(lane) ?? []
    const group = taken(waiting, bounds)
    if (group.length === 0) lanes.delete(lane)
    else void together(group).finally(() => next(lane))
  }

  async function together(members: readonly Member[]): Promise<void> {
    for (;;) {
      const present = members.filter((member) => isPresent(member))
      const [first] = present
      if (first === undefined) return
      if (present.length === 1) return alone(first)
      const call = jointCall(present)
      try {
        const appended = await send(joined(present), call)
        if (appended !== undefined) return shareOut(present, appended)
        call.settled()
      } catch (error) {
        if (error instanceof Regroup) continue
        if (isStoreError(error) ? !call.isCommitting : ofNobody.has(failureOf(error).kind)) {
          for (const { fail } of present) fail(error)
          return
        }
        call.settled()
      } finally {
        call.end()
      }
      // One of them is not as it should be. It fails alone.
      for (const member of present) if (isPresent(member)) await alone(member)
      return
    }
  }

  async function alone({ append, call, answer, fail }: Member): Promise<void> {
    try {
      answer(await send(append, call))
    } catch (error) {
      fail(error)
    }
  }

  return (append, call, isSociable) => {
    const lane = JSON.stringify([append.key.appName, append.key.userId, append.key.sessionId])
    const waiting = lanes.get(lane)
    if (waiting === undefined) {
      lanes.set(lane, [])
      return send(append, call).finally(() => next(lane))
    }
    return new Promise((resolve, reject) => {
      const settled = () => {
        call.signal.removeEventListener('abort', over)
        call.waitsFor(undefined)
      }
      const member: Member = {
        append,
        call,
        isSociable,
        bytes: bytesOf(append),
        answer(appended) {
          settled()
          resolve(appended)
        },
        fail(error) {
          settled()
          reject(error)
        },
      }
      const over = () => {
        const place = waiting.indexOf(member)
        if (place < 0) return // it is on its way
        waiting.splice(place, 1)
        member.fail(new StoreError('aborted', 'the call was over before its turn came')) // the call has its own answer already
      }
      waiting.push(member)
      call.waitsFor(() => `an append to the same session (${waiting.length} waiting)`)
      call.signal.addEventListener('abort', over, { once: true })
    })
  }
}

/** Says no to a member whose call is over. */
function isPresent({ call, fail }: Member): boolean {
  try {
    call.check()
    return true
  } catch (error) {
    fail(error)
    return false
  }
}

/** The first that wait, in their order, as far as they can go together. */
function taken(waiting: Member[], bounds: GroupBounds): readonly Member[] {
  const ids = new Set<string>()
  let [count, bytes, events] = [0, 0, 0]
  for (const { append, isSociable, bytes: own } of waiting) {
    bytes += own
    events += append.events.length
    const isTooMany = count === bounds.appends || bytes > bounds.bytes || events > append.limits.batchEvents
    if (count > 0 && (!isSociable || isTooMany || append.events.some(({ eventId }) => ids.has(eventId)))) break
    for (const { eventId } of append.events) ids.add(eventId)
    count++
    if (!isSociable) break
  }
  return waiting.splice(0, count)
}

const sizeOf = ({ set, unset }: StoredDelta): number =>
  set.reduce((sum, [key, json]) => sum + key.length + json.length, 0) + unset.reduce((sum, key) => sum + key.length, 0)

const bytesOf = ({ events, deltas }: Append): number =>
  events.reduce((sum, { payload }) => sum + payload.length, 0) +
  scopes.reduce((sum, scope) => sum + sizeOf(deltas[scope]), 0)

const inEach = <T>(make: (scope: Scope) => T): Record<Scope, T> => ({
  session: make('session'),
  user: make('user'),
  app: make('app'),
})

/** Many appends as one, which counts like many. */
function joined(members: readonly Member[]): Append {
  const appends = members.map(({ append }) => append)
  const [first] = appends
  if (first === undefined) throw new TypeError('a group has members')
  return {
    ...first,
    events: appends.flatMap(({ events }) => events),
    deltas: inEach((scope) => composed(appends.map(({ deltas }) => deltas[scope]))),
    now: appends.reduce((latest, { now }) => (now > latest ? now : latest), first.now),
    joint: {
      changes: inEach((scope) =>
        scope === 'session' ? appends.length : appends.filter(({ deltas }) => !isEmpty(deltas[scope])).length,
      ),
      growth: inEach((scope) => appends.reduce((sum, { deltas }) => sum + growthBy(deltas[scope]), 0)),
    },
  }
}

const isEmpty = ({ set, unset }: StoredDelta): boolean => set.length + unset.length === 0

/** By so many bytes a document grows at most, whatever the database writes between its members. */
export const growthBy = ({ set }: StoredDelta): number =>
  set.reduce((sum, [key, json]) => sum + Buffer.byteLength(JSON.stringify(key)) + Buffer.byteLength(json) + 4, 0)

/** The delta that does what all of them do, one after the other. */
function composed(deltas: readonly StoredDelta[]): StoredDelta {
  const set = new Map<string, string>()
  const unset = new Set<string>()
  for (const delta of deltas) {
    for (const key of delta.unset) {
      set.delete(key)
      unset.add(key)
    }
    for (const [key, json] of delta.set) {
      unset.delete(key)
      set.set(key, json)
    }
  }
  return { set: [...set], unset: [...unset] }
}

/** Each gets the revision and the place that it would have got alone. */
function shareOut(members: readonly Member[], { revision, lastSeq }: Appended): void {
  let at: Appended = { revision, lastSeq }
  for (const { append, answer } of members.toReversed()) {
    answer(at)
    at = { revision: at.revision - 1, lastSeq: at.lastSeq - append.events.length }
  }
}

interface JointCall extends Call {
  /** Nobody listens to the members' calls any more. */
  end(): void
}

/** What a dialect sees of the calls of a group. Each of them ends by itself; the work ends when all have. */
function jointCall(members: readonly Member[]): JointCall {
  const calls = members.map(({ call }) => call)
  const stop = new AbortController()
  let isCommitting = false
  const over = () => {
    if (calls.every(({ signal }) => signal.aborted)) stop.abort()
  }
  for (const { signal } of calls) signal.addEventListener('abort', over, { once: true })
  const each = (tell: (call: Call) => void) => {
    try {
      for (const call of calls) tell(call)
    } catch {
      joint.settled()
      throw new Regroup()
    }
  }
  const joint: JointCall = {
    deadline: Math.min(...calls.map(({ deadline }) => deadline)),
    signal: stop.signal,
    check: () => each((call) => call.check()),
    generated() {}, // each call knows its own
    committing() {
      each((call) => call.committing())
      isCommitting = true
    },
    settled() {
      isCommitting = false
      for (const call of calls) call.settled()
    },
    committed() {
      for (const call of calls) call.committed()
    },
    get isCommitting() {
      return isCommitting
    },
    stoppable() {}, // the work is done in this thread
    removed() {}, // an append removes nothing
    waitsFor(what) {
      for (const call of calls) call.waitsFor(what)
    },
    outcomeUnknown: (cause) => new StoreError('outcome_unknown', 'the reply to a commit did not come', { cause }),
    end() {
      for (const { signal } of calls) signal.removeEventListener('abort', over)
    },
  }
  return joint
}
