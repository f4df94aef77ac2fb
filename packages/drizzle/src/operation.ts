import type { Call, CallOptions, ErrorFacts, Limits, Logger, SessionKey } from '@daybook/core'
import type { ArtifactScripts } from './artifacts.ts'
import type { Dialect, Tx } from './dialect.ts'
import type { EventRows } from './event-rows.ts'
import type { GroupBounds } from './group-commit.ts'
import type { ScopeStates } from './scope-states.ts'
import type { Script } from './script.ts'
import type { SessionRows } from './session-rows.ts'
import type { StoredForm } from './stored-form.ts'

/** A method of the store before anybody decided in whose transaction it runs. */
export interface Operation<T> {
  readonly name: string
  readonly options: CallOptions | undefined
  readonly mode: 'read' | 'write'
  /** Checks and copies the arguments, before anything is sent: what it answers is data, which may go to another thread. */
  readonly request: () => unknown
  /** What to do about a request that was checked, here or in another thread. */
  readonly prepare: (request: unknown) => Prepared<T>
}

export interface Prepared<T> {
  readonly script: (tx: Tx) => Script<T>
  /** Work done in several transactions: repeated until it is finished, its answers added up. They remove something, unless it `writes`. */
  readonly chunks?: {
    readonly isLast: (answer: T) => boolean
    readonly add: (sum: T, answer: T) => T
    readonly writes?: true
  }
  /** A method that writes, with arguments by which it does not. */
  readonly onlyReads?: true
  /** A shorter way than the script, where the dialect has one; `undefined`: take the script. */
  readonly direct?: ((call: Call) => Promise<Direct<T> | undefined>) | undefined
  /** What is read after the commit, outside its locks. */
  readonly afterwards?: ((tx: Tx, answer: T) => Script<T>) | undefined
  /** What the store generated for this call. */
  readonly generated?: ErrorFacts
  /** The session that has new events when this is done. */
  readonly appendsTo?: SessionKey
}

/** What came of the shorter way. */
interface Direct<T> {
  readonly answer: T
  /** Makes what is read after the commit out of what came with it. Absent: it takes a look. */
  readonly whole?: () => T
}

/** What operations are made of. */
export interface Parts {
  readonly dialect: Dialect
  readonly sessionRows: SessionRows
  readonly eventRows: EventRows
  readonly scopeStates: { readonly app: ScopeStates; readonly user: ScopeStates }
  readonly artifacts: ArtifactScripts
  readonly form: StoredForm
  /** Absent where each append goes by itself. */
  readonly groupBounds: GroupBounds | undefined
  readonly limits: Limits
  readonly embeddingDimensions: number | undefined
  readonly logger: Logger | undefined
  readonly now: () => number
  /** The store's clock in microseconds. */
  readonly micros: () => bigint
}

export const reading: Making = (name, options, request, prepare) => operation(name, options, 'read', request, prepare)
export const writing: Making = (name, options, request, prepare) => operation(name, options, 'write', request, prepare)

type Making = <T, Request>(
  name: string,
  options: CallOptions | undefined,
  request: () => Request,
  prepare: (request: Request) => Prepared<T>,
) => Operation<T>

const operation = <T, Request>(
  name: string,
  options: CallOptions | undefined,
  mode: 'read' | 'write',
  request: () => Request,
  prepare: (request: Request) => Prepared<T>,
): Operation<T> => ({ name, options, mode, request, prepare: (given) => prepare(given as Request) }) // its own request, or a copy of it
