// What a run says, apart from what makes it: this is read where nothing of the bench is installed.
import type { Machine } from './machine.ts'
import type { Blocks, Turns } from './procedure.ts'
import type { Spread } from './statistics.ts'

/** The one that the others are compared with. */
export const yardstick = 'limit'

export interface Sizes {
  readonly listed: number
  readonly long: number
  readonly sessions: number
  readonly eventsEach: number
  readonly memories: number
}

export interface Settings {
  readonly seed: number
  readonly turns: Pick<Turns, 'warmUps' | 'budget'>
  /** Of the rounds that a workload has by itself. */
  readonly share: number
  readonly blocks: Blocks
  readonly sizes: Sizes
  /** Events of a growing database, at which it is measured. */
  readonly growth: readonly number[]
}

export interface Verdict {
  /** What was wrong; empty when nothing was. */
  readonly faults: readonly string[]
  /** Keys left of 16 that as many concurrent appends wrote. */
  readonly keptUserKeys?: number
  readonly keptSessionKeys?: number
}

/** Of the files that a run is kept in, without what follows the dot. */
export const nameOf = ({ backend, part }: Pick<Run, 'backend' | 'part'>): string =>
  part === undefined ? backend : `${backend}-${part}`

/** A verdict in words. */
export function told({ faults, keptUserKeys, keptSessionKeys }: Verdict): string {
  if (keptUserKeys === undefined || keptSessionKeys === undefined) return faults.join('; ')
  const kept = `${keptSessionKeys} of 16 session keys, ${keptUserKeys} of 16 user keys kept`
  return [...faults, kept].join('; ')
}

export interface Line {
  readonly workload: string
  readonly title: string
  readonly contender: string
  /** Why there are no numbers. */
  readonly without?: string
  /** Milliseconds of one operation. */
  readonly spread?: Spread
  /** Operations per second; only where many work at once. */
  readonly perSecond?: number
  /** Events whose append was answered and that are not there. */
  readonly lost?: number
  readonly errors: number
  readonly error?: string
  /** Of the median (of operations per second: of those) to the limit's. */
  readonly ratio?: number
  readonly ratioP10?: number
}

export interface Run {
  /** Of a run that is of that only. */
  readonly part?: 'growth'
  readonly date: string
  readonly backend: string
  readonly product: string
  readonly durability: Readonly<Record<string, string>>
  readonly machine: Machine
  readonly load: { readonly before: readonly number[]; readonly after: readonly number[] }
  readonly versions: Readonly<Record<string, string>>
  readonly settings: Settings
  readonly contenders: readonly {
    readonly name: string
    readonly driver: string
    readonly lacks?: string
    readonly verdict?: Verdict
  }[]
  readonly leftOut: readonly { readonly contender: string; readonly why: string }[]
  readonly lines: readonly Line[]
}
