import type { Limits, Store } from '@daybook/core'
import type { Check, Need } from './check.ts'
import type { Lack, OpenOptions, Place, StoreUnderTest } from './define.ts'
import { embeddingDimensions } from './fixtures.ts'
import { Inapplicable, Unproven, type Counterexample, type UnprovenReason } from './expect.ts'
import { reasonOfLack } from './facts.ts'
import { seededRandom } from './random.ts'
import type { Kernel } from './run.ts'

export interface Budget {
  readonly name: 'quick' | 'cert'
  /** Rounds of a race. */
  readonly rounds: number
  readonly modelRuns: number
  readonly modelCommands: number
  /** Commands of the model after which what they touched is compared. */
  readonly lookEvery: number
  /** Processes that append to one session at once. */
  readonly processes: number
  /** The store is broken on purpose. */
  readonly isProof?: true
}

export const budgets: Record<'quick' | 'cert', Budget> = {
  quick: { name: 'quick', rounds: 20, modelRuns: 30, modelCommands: 30, lookEvery: 5, processes: 2 },
  cert: { name: 'cert', rounds: 60, modelRuns: 300, modelCommands: 60, lookEvery: 1, processes: 32 },
}

/** What a check may use. Its app name is its own, which costs nothing and is a tenancy test in itself. */
export interface Ctx {
  readonly check: Check
  readonly subject: StoreUnderTest
  readonly place: Place
  /** The app name of this check in this place. */
  readonly app: string
  /** Two opens of the place, both warm; not to be closed by the check. In a `fresh` place neither warm nor migrated. */
  readonly store: Store
  readonly other: Store
  readonly limits: Limits
  readonly budget: Budget
  readonly seed: number
  /** What failed once: a check that draws at random draws this and nothing else. */
  readonly replay: Counterexample | undefined
  random(): number
  /** One more open, closed after the check. */
  open(options?: OpenOptions): Promise<Store>
  /** A member of the place that the check cannot do without. */
  need<K extends Need>(name: K): NonNullable<Place[K]>
  readonly kernel: Kernel
}

/** Two opens of one place, shared by all checks that do not ask for a place of their own. */
export interface Stage {
  readonly subject: StoreUnderTest
  readonly place: Place
  readonly store: Store
  readonly other: Store
  /** How a further open becomes the store that the check sees: as it is, recorded, or broken on purpose. */
  readonly wrap: (store: Store, options: OpenOptions) => Store
}

interface Missing {
  readonly reason: UnprovenReason
  /** What a place can lack, so that it cannot have the member. */
  readonly lack?: Exclude<Lack, 'pool'>
}

const missing: Readonly<Record<Need, Missing>> = {
  worker: { reason: 'no worker' },
  oracle: { reason: 'no oracle' },
  transaction: { reason: 'no transaction hook' },
  endpoint: { reason: 'no endpoint', lack: 'network' },
  wire: { reason: 'no wire', lack: 'network' },
  lock: { reason: 'no lock hook', lack: 'locks' },
  server: { reason: 'no server of its own', lack: 'network' },
  storage: { reason: 'no storage hook', lack: 'storage' },
  refuse: { reason: 'no refusal hook', lack: 'refusals' },
  openDamaged: { reason: 'no storage hook', lack: 'storage' },
  openAbsent: { reason: 'no absent database', lack: 'opening' },
}

export interface ContextOptions {
  readonly kernel: Kernel
  readonly budget: Budget
  readonly seed: number
  readonly app: string
  readonly replay?: Counterexample
}

export function createContext(
  check: Check,
  stage: Stage,
  { kernel, budget, seed, app, replay }: ContextOptions,
): { ctx: Ctx; end(): Promise<void> } {
  const opened: Store[] = []
  const ctx: Ctx = {
    check,
    subject: stage.subject,
    place: stage.place,
    app,
    store: stage.store,
    other: stage.other,
    limits: stage.store.limits,
    budget,
    seed,
    replay,
    random: seededRandom(seed),
    async open(options = {}) {
      const store = stage.wrap(await stage.place.open({ embeddingDimensions, ...options }), options)
      opened.push(store)
      return store
    },
    need(name) {
      const member = stage.place[name]
      if (member !== undefined) return member
      const { reason, lack } = missing[name]
      if (lack !== undefined && stage.place.lacks?.includes(lack) === true) throw new Inapplicable(reasonOfLack[lack])
      throw new Unproven(reason)
    },
    kernel,
  }
  const end = async () => {
    const closed = Promise.allSettled(opened.map((store) => store.close()))
    // A check that failed may leave a store that cannot close; the others are to be judged all the same.
    await Promise.race([closed, new Promise((resolve) => setTimeout(resolve, 5000).unref())])
  }
  return { ctx, end }
}
