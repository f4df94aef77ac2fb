import { createHash } from 'node:crypto'
import { groups, levelOf, levels, type Check, type Level } from './check.ts'
import { checks } from './checks/index.ts'

export interface PlannedCheck {
  readonly key: string
  readonly rule: string
  readonly level: Level | 'advisory'
  readonly tentative: boolean
}

export interface Plan {
  readonly checks: readonly Check[]
  readonly planned: readonly PlannedCheck[]
  /** Names the plan: two certificates with one hash ran the same checks. */
  readonly hash: string
  /** False when a filter left something out. */
  readonly isFull: boolean
}

/** Every check up to a level, in a fixed order; `only` takes ids, keys, or prefixes that end in `*`. */
export function createPlan(level: Level, only: readonly string[] = []): Plan {
  const within = new Set(levels.slice(0, levels.indexOf(level) + 1))
  const all = groups
    .flatMap((group) => [...checks[group]])
    .filter((check) => {
      const own = levelOf(check)
      return own === undefined || within.has(own)
    })
  const chosen = only.length === 0 ? all : all.filter((check) => only.some((pattern) => matches(check, pattern)))
  const planned = chosen.map((check) => ({
    key: check.key,
    rule: check.rule,
    level: levelOf(check) ?? ('advisory' as const),
    tentative: check.tentative === true,
  }))
  return { checks: chosen, planned, hash: planHash(planned), isFull: chosen.length === all.length }
}

export const planHash = (planned: readonly PlannedCheck[]): string =>
  createHash('sha256').update(JSON.stringify(planned)).digest('hex')

const matches = ({ id, key }: Check, pattern: string) =>
  pattern.endsWith('*') ? key.startsWith(pattern.slice(0, -1)) : pattern === id || pattern === key
