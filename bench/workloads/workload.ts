import type { Contender } from '../contender.ts'
import type { Data } from '../data.ts'
import type { Prepare } from '../procedure.ts'

/** Operations one after the other, of which each is timed. */
export interface Sequential {
  readonly id: string
  readonly title: string
  readonly rounds: number
  readonly chunk: number
  /** Those that lack it are not named: it is of an area that most do not have. */
  readonly isForSome?: true
  /** `undefined` when the contender lacks what it needs. */
  begin(contender: Contender, data: Data): Promise<Prepare | undefined>
}

/** Many who work at once. */
export interface Concurrent {
  readonly id: string
  readonly title: string
  readonly workers: number
  begin(contender: Contender, data: Data, workers: number): Promise<Crowded>
}

interface Crowded {
  readonly prepares: readonly Prepare[]
  /** How many of the answered appends are not there afterwards. */
  readonly lost: () => Promise<number>
}
