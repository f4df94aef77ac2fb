import { isStoreError, StoreError, type Call } from '@daybook/core'
import type { Dialect, ErrorKind, Failure } from './dialect.ts'

const bounds = { tries: 8, firstWait: 5, longestWait: 250 }

/** The drivers' errors that are worth another try, each for its own reason. */
const repeatable = new Set<ErrorKind>([
  'contention',
  'locked',
  'connection',
  'nobody_listens',
  'read_only',
  'duplicate',
])

interface Attempts {
  readonly dialect: Pick<Dialect, 'failureOf' | 'lockWait'>
  /** Says which of our tables are missing, where a driver's code does not tell. */
  readonly missingTables: (call: Call) => Promise<readonly string[]>
}

/**
 * Runs a unit until it succeeds, as a whole each time: deadlocks, serialization failures, locks and connections lost before
 * the commit are tried again with growing, jittered waits. What is left over becomes an error of the contract.
 *
 * @param mayRepeat false once something was done in the unit that is not ours to repeat; absent: it always may
 */
export async function attempt<T>(
  { dialect, missingTables }: Attempts,
  call: Call,
  unit: (call: Call) => Promise<T>,
  mayRepeat: () => boolean = always,
): Promise<T> {
  const begun = performance.now()
  for (let tries = 1; ; tries++) {
    try {
      const answer = await unit(call)
      call.settled()
      return answer
    } catch (error) {
      if (isStoreError(error)) throw error
      const failure = dialect.failureOf(error)
      const wasCommitting = call.isCommitting
      call.settled()
      // A pool that is being ended drops what is on its way, too; and what nobody knows may be any end of a commit.
      const isTelling = failure.kind !== 'connection' && failure.kind !== 'closed' && failure.isUnknown !== true
      if (wasCommitting && !isTelling) throw call.outcomeUnknown(error)
      if (failure.kind === 'maybe_missing_schema' && (await missingTables(call)).length > 0)
        throw storeErrorOf({ ...failure, kind: 'missing_schema' }, error)
      const isOver = failure.kind === 'locked' ? performance.now() - begun >= dialect.lockWait : tries >= bounds.tries
      if (failure.kind === 'duplicate' && !mayRepeat()) throw refusedCommit(failure, error)
      if (!repeatable.has(failure.kind) || isOver || !mayRepeat()) throw storeErrorOf(failure, error)
      await pause(call, tries)
    }
  }
}

const always = () => true

const refusedCommit = ({ driverCode }: Failure, cause: unknown) =>
  new StoreError('conflict', 'the transaction could not commit: a unique key of the application exists already', {
    cause,
    ...(driverCode !== undefined && { driverCode }),
  })

async function pause(call: Call, tries: number): Promise<void> {
  const longest = Math.min(bounds.longestWait, bounds.firstWait * 2 ** (tries - 1))
  await sleep(longest * (0.5 + Math.random() / 2), call.signal)
  call.check()
}

/** Resolves after so many milliseconds, or as soon as the signal fires. Somebody waits for it, so the process may too. */
const sleep = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) return resolve()
    const done = () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    signal.addEventListener('abort', done, { once: true })
  })

/** Where a store was opened: what may be named in an error. */
export interface ServerPlace {
  readonly host: string | undefined
  readonly port: number | undefined
  readonly socketPath: string | undefined
  readonly user: string | undefined
  readonly database: string | undefined
}

/**
 * The contract's error for what a driver reported. The same kind has the same sentence on every database.
 *
 * @param place named where the store knows it
 */
export function storeErrorOf({ kind, driverCode }: Failure, cause: unknown, place?: ServerPlace): StoreError {
  const options = { cause, ...(driverCode !== undefined && { driverCode }) }
  switch (kind) {
    case 'contention':
    case 'locked':
    case 'duplicate': // two writers made the same first row again and again
      return new StoreError(
        'busy',
        'other writers held the database for too long; the transaction was rolled back',
        options,
      )
    case 'connection':
      return new StoreError(
        'unavailable',
        'the connection to the database was lost before anything was committed',
        options,
      )
    case 'nobody_listens':
      return new StoreError('unavailable', `no database server answers at ${addressOf(place)}`, options)
    case 'no_host':
      return new StoreError('unavailable', `the host ${place?.host ?? 'of the database'} is not known`, {
        ...options,
        retryable: false,
      })
    case 'untrusted':
      return new StoreError(
        'unavailable',
        `no connection came about with ${addressOf(place)} that can be trusted (${driverCode}): is its certificate valid, for this host, and from an authority in tls.ca?`,
        { ...options, retryable: false },
      )
    case 'login_refused':
      return new StoreError(
        'unavailable',
        `the server refuses the login${named(' of', place?.user)}: is the password right, and may this role connect from here?`,
        { ...options, retryable: false },
      )
    case 'no_database':
      return new StoreError('unavailable', `the server has no database${named('', place?.database)}; create it first`, {
        ...options,
        retryable: false,
      })
    case 'unreachable':
      return new StoreError('unavailable', 'the database cannot be reached with these settings', {
        ...options,
        retryable: false,
      })
    case 'forbidden':
      return new StoreError(
        'unavailable',
        'the database refuses this to the role that the store was opened with: it lacks a right',
        { ...options, retryable: false },
      )
    case 'statement_lost':
      return new StoreError(
        'unavailable',
        'a pooler lost or doubled a prepared statement; open the store with prepare: false',
        { ...options, retryable: false },
      )
    case 'read_only':
      return new StoreError('unavailable', 'the database is read-only', { ...options, retryable: false })
    case 'storage':
      return new StoreError('unavailable', 'the database could not write to its storage', options)
    case 'corrupt':
      return new StoreError('corrupt', 'the database file is damaged, or is none', options)
    case 'too_large':
      return new StoreError('limit_exceeded', 'the database refused a value as too large', options)
    case 'cancelled':
      return new StoreError('timeout', 'the database cancelled the statement', options)
    case 'missing_schema':
      return new StoreError(
        'schema_mismatch',
        'a table or column of the store is missing; run store.migrate()',
        options,
      )
    case 'closed':
      return new StoreError('closed', 'the connection or transaction that was handed over is closed', options)
    default:
      return new StoreError('internal', 'the database reported an error that the store did not expect', options)
  }
}

const named = (before: string, name: string | undefined) =>
  name === undefined ? '' : `${before} ${JSON.stringify(name)}`

const addressOf = (place: ServerPlace | undefined): string => {
  if (place === undefined) return 'its address'
  if (place.socketPath !== undefined) return place.socketPath
  const host = place.host?.includes(':') === true ? `[${place.host}]` : (place.host ?? 'localhost')
  return place.port === undefined ? host : `${host}:${place.port}`
}
