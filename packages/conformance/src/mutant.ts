import type { Ability, Fact, Store } from '@daybook/core'
import type { CallerTransaction, OpenOptions, OwnMutantId } from './define.ts'

export type MutantId = `M${number}` | `M${number}@process`

/** What all opens of one mutated place share. */
export interface Shared {
  /** Scratch of the mutant: what a broken store would keep where it should not. */
  readonly memory: Map<string, unknown>
}

/** A store with one bug put in, by a wrapper around the user's own store. */
export interface Mutant {
  readonly id: MutantId
  readonly bug: string
  /** Key of the check that has to fail, as a failed assertion of that check. */
  readonly check: string
  /** Run in every run; the others with `prove`. */
  readonly canary?: true
  /** A real window: it reads, then writes, through the store's own opens. If it survives, races prove nothing. */
  readonly isRace?: true
  wrap(store: Store, shared: Shared, options: OpenOptions): Store
  /** The other processes open a store with this bug, too. */
  readonly inWorkers?: true
  /** The bug can only be in a store that says `yes` to this. */
  readonly fact?: Ability | Fact
  /** The bug can only be in a store that says `no` to this ability. */
  readonly without?: Ability
  /** For bugs in the caller's transaction. */
  readonly transaction?: (real: CallerTransaction, shared: Shared) => CallerTransaction
}

export interface MutantResult {
  readonly id: MutantId | OwnMutantId
  readonly check: string
  /** `inapplicable`: the check does not run on this store, so the bug cannot be in it. */
  readonly outcome: 'killed' | 'survived' | 'inapplicable'
  readonly note?: string
}
