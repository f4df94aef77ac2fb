import {
  checkedChange,
  checkedCount,
  checkedDelta,
  checkedFlag,
  checkedId,
  checkedOptionalCount,
  checkedOptions,
  checkedRecord,
  checkedSessionKey,
  checkedStateKey,
  checkedUserKey,
  membersOf,
} from './arguments.ts'
import { splitDelta, type JsonDelta, type Scope } from './delta.ts'
import { StoreError } from './errors.ts'
import { uuidv7 } from './ids.ts'
import type { Limits } from './limits.ts'
import { appFilter } from './list-request.ts'
import type { SessionKey } from './sessions.ts'
import type { StateKey } from './state.ts'
import { checkedTimestamp } from './time.ts'

interface Context {
  readonly limits: Limits
  readonly now: () => number
}

/** The arguments of `sessions.create`, checked; the state split into scopes. */
export interface CreateRequest {
  readonly key: SessionKey
  readonly deltas: Record<Scope, JsonDelta>
  /** The session's own. */
  readonly initialState: JsonDelta['set']
  /** `undefined`: now. */
  readonly createdAt: number | undefined
}

export function createRequest(session: unknown, options: unknown, { limits, now }: Context): CreateRequest {
  checkedOptions(options, [])
  const { sessionId, state, createdAt, initialState, ...user } = checkedOptions(
    checkedRecord(session, 'session'),
    ['appName', 'userId', 'sessionId', 'state', 'createdAt', 'initialState'],
    'session',
  )
  const documentOf = (set: unknown, name: string) =>
    checkedDelta({ set, unset: undefined }, 'session', limits, { set: name, unset: 'unset' })
  const deltas = splitDelta(documentOf(state, 'state'))
  return {
    key: {
      ...checkedUserKey(user, limits, 'session'),
      sessionId: sessionId === undefined ? uuidv7(now) : checkedId(sessionId, 'session.sessionId', limits),
    },
    deltas,
    initialState:
      initialState === undefined
        ? deltas.session.set
        : ownKeysOnly(documentOf(initialState, 'initialState').set, 'session.initialState'),
    createdAt: createdAt === undefined ? undefined : checkedTimestamp(createdAt, 'session.createdAt'),
  }
}

/** A checked change of a session: deltas by scope, or a new document of the session's own keys. */
export type SessionChange = { readonly deltas: Record<Scope, JsonDelta> } | { readonly replace: JsonDelta['set'] }

export interface UpdateRequest<Key, Change> {
  readonly key: Key
  readonly change: Change
  readonly expectedRevision: number | undefined
}

export function updateRequest(
  key: unknown,
  change: unknown,
  options: unknown,
  { limits }: Context,
): UpdateRequest<SessionKey, SessionChange> {
  const checked = checkedChange(change, 'change', limits)
  return {
    key: checkedSessionKey(key, limits),
    change:
      'replace' in checked
        ? { replace: ownKeysOnly(checked.replace, 'change.replace') }
        : { deltas: splitDelta(checked) },
    expectedRevision: expectedRevision(options),
  }
}

export function stateUpdateRequest(
  key: unknown,
  change: unknown,
  options: unknown,
  { limits }: Context,
): UpdateRequest<StateKey, JsonDelta | { readonly replace: JsonDelta['set'] }> {
  return {
    key: checkedStateKey(key, limits),
    change: checkedChange(change, 'change', limits),
    expectedRevision: expectedRevision(options),
  }
}

const expectedRevision = (options: unknown) =>
  checkedOptionalCount(checkedOptions(options, ['expectedRevision'])['expectedRevision'], 'expectedRevision')

function ownKeysOnly(document: JsonDelta['set'], name: string): JsonDelta['set'] {
  const prefixed = Object.keys(document).find((key) => /^(?:app|user|temp):/.test(key))
  if (prefixed === undefined) return document
  const field = `${name}.${prefixed}`
  throw new StoreError(
    'invalid_argument',
    `${field} is not a key of the session itself; use state.update for app and user state`,
    { field },
  )
}

export interface ForkRequest {
  readonly key: SessionKey
  readonly sessionId: string
  /** `undefined`: the whole session. */
  readonly throughSeq: number | undefined
}

export function forkRequest(key: unknown, options: unknown, { limits, now }: Context): ForkRequest {
  const { sessionId, throughSeq } = checkedOptions(options, ['sessionId', 'throughSeq'])
  return {
    key: checkedSessionKey(key, limits),
    sessionId: sessionId === undefined ? uuidv7(now) : checkedId(sessionId, 'sessionId', limits),
    throughSeq: checkedOptionalCount(throughSeq, 'throughSeq'),
  }
}

export interface PruneRequest {
  readonly appName: string
  readonly userId: string | undefined
  readonly before: number
  readonly dryRun: boolean
  readonly chunk: number
}

export function pruneRequest(query: unknown, { limits }: Context): PruneRequest {
  const filter = appFilter(query, limits, ['before', 'dryRun', 'chunk'])
  const { before, dryRun, chunk = 100 } = membersOf(query, 'query', ['before', 'dryRun', 'chunk'])
  return {
    ...filter,
    before: checkedTimestamp(before, 'before'),
    dryRun: checkedFlag(dryRun, 'dryRun'),
    chunk: checkedCount(chunk, 'chunk', { min: 1, max: 10_000 }),
  }
}
