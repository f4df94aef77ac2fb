import { isStoreError, type JsonObject, type Store } from '@daybook/core'
import type { NotTaken, NotTakenReason } from './import-report.ts'
import type { SourceSession } from './sources/layout.ts'
import type { TableReader } from './sources/table-reader.ts'

/** What an import works with. */
export interface ImportJob {
  readonly reader: TableReader
  readonly store: Store
  readonly dryRun: boolean
  /** Throws when the caller gave up. */
  readonly check: () => void
  readonly signal: AbortSignal | undefined
  readonly leave: (one: NotTaken) => void
  readonly eventsRead: (count: number) => void
  /** Keys of other scopes in the state of a session, where its layout keeps them there. */
  readonly scopedKeys: (session: SourceSession, state: JsonObject) => void
}

export const signalOf = ({ signal }: Pick<ImportJob, 'signal'>) => (signal === undefined ? {} : { signal })

/** Why the store would not take something. */
export interface Refusal {
  readonly reason: NotTakenReason
  readonly detail: string
}

/** Why a check fails; `undefined` where it does not. */
export function refusalOf(check: () => unknown): Refusal | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return refusalFor(error)
  }
}

export function refusalFor(error: unknown): Refusal {
  if (!isStoreError(error)) throw error
  return { reason: error.code === 'limit_exceeded' ? 'over_limit' : 'invalid', detail: error.message }
}
