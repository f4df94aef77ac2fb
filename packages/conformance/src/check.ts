import type { Ability, Fact } from '@daybook/core'
import type { Ctx } from './context.ts'
import type { Lanes } from './lanes.ts'

/** How many rules each group of the contract's checks has. Rule ids are never reused. */
export const rulesOf = {
  LIFE: 15,
  SES: 17,
  EVT: 17,
  STA: 15,
  ORD: 12,
  CON: 16,
  TXN: 11,
  FLT: 10,
  LIM: 12,
  UNI: 16,
  TIM: 9,
  JSP: 11,
  MET: 12,
  MEM: 15,
  ART: 16,
  MIG: 11,
  ERR: 11,
  SEC: 12,
  RES: 13,
  PRF: 9,
  ERA: 5,
  LEA: 6,
  RWD: 5,
  META: 9,
} as const

export type RuleGroup = keyof typeof rulesOf
export type CheckId = `${RuleGroup}-${number}`

/** The groups that have checks today; the others are listed in `later.ts`. */
export const groups = [
  'LIFE',
  'SES',
  'EVT',
  'STA',
  'ORD',
  'LIM',
  'UNI',
  'TIM',
  'JSP',
  'ERR',
  'SEC',
  'ERA',
  'LEA',
  'MEM',
  'ART',
  'MET',
  'TXN',
  'CON',
  'FLT',
  'RES',
  'RWD',
  'MIG',
  'PRF',
  'META',
] as const
export type Group = (typeof groups)[number]

export const levels = ['core', 'concurrent', 'durable'] as const
export type Level = (typeof levels)[number]

type Engine = 'example' | 'model' | 'race' | 'process' | 'fault' | 'whitebox'

/** What a check asks of the place beside `open`. */
export type Need =
  | 'worker'
  | 'oracle'
  | 'transaction'
  | 'endpoint'
  | 'wire'
  | 'lock'
  | 'server'
  | 'storage'
  | 'refuse'
  | 'openDamaged'
  | 'openAbsent'

export interface CheckOptions {
  /** Where one rule has several checks. */
  readonly variant?: string
  readonly engine?: Engine
  readonly needs?: readonly Need[]
  /**
   * The check opens with this ability or fact. On a store that says `no` to the ability its refusal is verified instead; on
   * one that says `no` to the fact the check does not apply, provided that `META-03` saw the fact.
   */
  readonly capability?: Ability | Fact
  /** A place of its own, opened but not migrated. */
  readonly fresh?: true
  /** A place with a server of its own, which the check kills. Goes with `fresh`. */
  readonly ownServer?: true
  /** A place of its own whose connections have settings that an application would not choose; migrated. */
  readonly settings?: 'hostile'
  /**
   * Nothing runs beside it: it measures or changes what all checks of a run share, such as the process, its time zone, an
   * index; or it looks at what the others left. Default: a race is alone, since what runs beside it takes turns away, and so is
   * what needs a lock or a transaction to be held, or every event to be refused, since that may be of the whole place.
   */
  readonly alone?: boolean
  /** It is alone because it measures how long it waits, and so takes hardly any turns away: a race may run meanwhile. */
  readonly waits?: true
  /** Run and reported, not gating: a new rule starts so. */
  readonly tentative?: true
  readonly budgetMs?: number
}

export interface Check extends CheckOptions {
  readonly id: CheckId
  /** Id and variant: the name of this check in plan and certificate. */
  readonly key: string
  readonly rule: string
  /** The minor of the contract that brought it. */
  readonly since: string
  readonly engine: Engine
  readonly needs: readonly Need[]
  readonly alone: boolean
  readonly budgetMs: number
  run(ctx: Ctx): Promise<void>
}

export type Checks = readonly [Check, ...Check[]]

const ofTheWholePlace: ReadonlySet<Need> = new Set<Need>(['lock', 'transaction', 'refuse'])

/** One rule of the contract as a program. */
export function check(id: CheckId, rule: string, run: (ctx: Ctx) => Promise<void>, options: CheckOptions = {}): Check {
  const key = options.variant === undefined ? id : `${id}@${options.variant}`
  const { engine = 'example', needs = [] } = options
  const alone = engine === 'race' || needs.some((need) => ofTheWholePlace.has(need))
  return { alone, budgetMs: 20_000, ...options, engine, needs, id, key, rule, since: '1.0', run }
}

/** How checks are laid beside one another. */
export const besideOneAnother: Omit<Lanes<Check>, 'lanes'> = {
  isAlone: ({ alone }) => alone,
  turns: ({ engine, waits }) => (engine === 'race' ? 'race' : waits === true ? 'waits' : undefined),
  longest: ({ budgetMs }) => budgetMs,
}

/** `undefined`: advisory, in no level. */
export function levelOf({ engine, id }: Check): Level | undefined {
  if (id.startsWith('MIG-')) return 'durable'
  if (engine === 'race' || engine === 'process') return 'concurrent'
  if (engine === 'fault') return 'durable'
  return engine === 'whitebox' ? undefined : 'core'
}
