import { levels, type Level } from './check.ts'
import type { Counterexample, InapplicableReason, UnprovenReason } from './expect.ts'
import type { PlannedCheck } from './plan.ts'

const verdicts = ['pass', 'fail', 'absent-verified', 'inapplicable', 'deviation', 'unproven', 'error'] as const
export type Verdict = (typeof verdicts)[number]

export interface Result {
  readonly key: string
  readonly verdict: Verdict
  readonly ms: number
  readonly reason?: UnprovenReason | InapplicableReason
  /** What was promised and what came, for everything but a pass. */
  readonly what?: string
  readonly expected?: string
  readonly got?: string
  readonly counterexample?: Counterexample
  /** A fail whose reason is a mistake in a program: of a store it is one all the same, but it proves nothing of a mutant. */
  readonly byMistake?: true
}

/** What does not apply is no gap in a level, and no proof of it either: something has to have passed. */
const good: ReadonlySet<Verdict> = new Set(['pass', 'absent-verified', 'inapplicable'])

/** The highest level at which everything is proven; `undefined` when not even the lowest is. */
export function levelReached(
  planned: readonly PlannedCheck[],
  results: readonly Pick<Result, 'key' | 'verdict'>[],
): Level | undefined {
  const verdictOf = new Map(results.map(({ key, verdict }) => [key, verdict]))
  let reached: Level | undefined
  for (const level of levels) {
    const own = planned.filter((check) => check.level === level && !check.tentative)
    const isProven =
      own.some(({ key }) => verdictOf.get(key) === 'pass') &&
      own.every(({ key }) => good.has(verdictOf.get(key) ?? 'error'))
    if (!isProven) break
    reached = level
  }
  return reached
}

export type Counts = Readonly<Record<Verdict, number>>

export function countVerdicts(results: readonly Pick<Result, 'verdict'>[]): Counts {
  const counts: Record<Verdict, number> = {
    pass: 0,
    fail: 0,
    'absent-verified': 0,
    inapplicable: 0,
    deviation: 0,
    unproven: 0,
    error: 0,
  }
  for (const { verdict } of results) counts[verdict] += 1
  return counts
}

/** `N passed, N failed, N skipped`, where skipped is what could not be proven, or says nothing about the store. */
export function tally(counts: Counts): string {
  const passed = counts.pass + counts['absent-verified']
  return `${passed} passed, ${counts.fail + counts.error} failed, ${skippedOf(counts)} skipped`
}

export const skippedOf = (counts: Counts): number => counts.unproven + counts.deviation + counts.inapplicable

/** Whether the run is what the plan said: nothing left out, nothing twice, nothing else, and no group empty. */
export function planViolations(
  planned: readonly PlannedCheck[],
  keys: readonly string[],
  groupNames: readonly string[],
): string[] {
  const violations: string[] = planned.length === 0 ? ['nothing was planned'] : []
  const executed = new Set(keys)
  for (const { key } of planned) if (!executed.has(key)) violations.push(`${key} was planned and not executed`)
  const known = new Set(planned.map(({ key }) => key))
  for (const key of executed) if (!known.has(key)) violations.push(`${key} was executed and not planned`)
  if (executed.size !== keys.length) violations.push('a check was executed twice')
  for (const group of groupNames) {
    if (![...executed].some((key) => key.startsWith(`${group}-`)))
      violations.push(`group ${group} has no executed check`)
  }
  return violations
}
