import { createHash } from 'node:crypto'
import { availableParallelism } from 'node:os'
import type { Capabilities, Health, Limits, Store } from '@daybook/core'
import type { Level } from './check.ts'
import type { Deviation, Honoured, Lack, Place, StoreUnderTest } from './define.ts'
import { premises } from './facts.ts'
import type { MutantResult } from './mutant.ts'
import { createPlan, planHash, type Plan, type PlannedCheck } from './plan.ts'
import { redact } from './redact.ts'
import { suiteHash, suiteVersion } from './suite-version.ts'
import { countVerdicts, levelReached, planViolations, tally, type Counts, type Result } from './verdict.ts'

/** The hashed part: no clock, no machine, so that two runs of one store compare. */
export interface Findings {
  readonly kind: 'full' | 'partial'
  readonly verdict: 'certified' | 'failed' | 'incomplete'
  readonly level: Level | 'none'
  readonly requested: Level
  readonly budget: 'quick' | 'cert'
  readonly contract: string
  readonly suite: string
  /** SHA-256 over the code of the suite that judged, or `source`. */
  readonly suiteHash: string
  readonly planHash: string
  readonly subject: StoreUnderTest['subject']
  readonly server: {
    readonly flavour: string
    readonly version: string
    readonly settings: Readonly<Record<string, string>>
  }
  readonly checks: readonly (PlannedCheck & Omit<Result, 'ms'>)[]
  readonly capabilities: Capabilities
  /** What the place declares of itself. */
  readonly place: { readonly honours: readonly Honoured[]; readonly lacks: readonly Lack[] }
  readonly limits: Limits
  readonly deviations: readonly Deviation[]
  readonly mutants: readonly MutantResult[]
  readonly violations: readonly string[]
  readonly counts: Counts
}

export interface Certificate extends Findings {
  readonly format: 'daybook-certificate/1'
  /** SHA-256 of the findings. */
  readonly hash: string
  /** Of this run: not hashed. */
  readonly run: {
    readonly seed: number
    readonly node: string
    readonly platform: string
    readonly cores: number
    readonly ms: number
    readonly slowest: readonly string[]
  }
}

interface Evidence {
  readonly subject: StoreUnderTest
  readonly plan: Plan
  readonly level: Level
  readonly budget: 'quick' | 'cert'
  readonly results: readonly Result[]
  readonly mutants: readonly MutantResult[]
  readonly violations: readonly string[]
  readonly health: Health
  readonly store: Store
  readonly place: Place
  readonly seed: number
  readonly ms: number
  /** How many of the slowest checks are named. */
  readonly slowest: number
}

export function createCertificate(evidence: Evidence): Certificate {
  const { subject, plan, level, budget, results, mutants, violations, health, store, place, seed, ms } = evidence
  const resultOf = new Map(results.map((result) => [result.key, result]))
  const checks = plan.planned.flatMap((planned) => {
    const result = resultOf.get(planned.key)
    if (result === undefined) return []
    const { ms: _ms, byMistake: _mistake, ...lasting } = result
    return [{ ...planned, ...redact(lasting) }]
  })
  const kind = plan.isFull && !hasCoreDeviation(checks) ? 'full' : 'partial'
  const findings: Findings = {
    kind,
    ...conclusion({ kind, checks, requested: level, mutants, violations }),
    requested: level,
    budget,
    contract: subject.contract,
    suite: suiteVersion,
    suiteHash: suiteHash(),
    planHash: plan.hash,
    subject: subject.subject,
    server: { flavour: health.flavour, version: health.version, settings: redact(health.settings ?? {}) },
    checks,
    capabilities: { ...store.capabilities },
    place: { honours: place.honours ?? [], lacks: place.lacks ?? [] },
    limits: { ...store.limits },
    deviations: subject.broken ?? [],
    mutants: redact(mutants),
    violations,
    counts: countVerdicts(results),
  }
  const slowest = results
    .toSorted((a, b) => b.ms - a.ms)
    .slice(0, evidence.slowest)
    .map((result) => `${result.key} ${result.ms} ms`)
  const run = {
    seed,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    ms,
    slowest,
  }
  return { format: 'daybook-certificate/1', ...findings, hash: hashOf(findings), run }
}

const hashOf = (findings: Findings) => createHash('sha256').update(JSON.stringify(findings)).digest('hex')

const hasCoreDeviation = (checks: Findings['checks']) =>
  checks.some(({ level, verdict }) => level === 'core' && verdict === 'deviation')

type Premises = Pick<Findings, 'kind' | 'checks' | 'requested' | 'mutants' | 'violations'>

/** The verdict out of the raw results and nothing else, so that `verify` can draw it again. */
function conclusion({ kind, checks, requested, mutants, violations }: Premises): Pick<Findings, 'verdict' | 'level'> {
  const gating = checks.filter(({ tentative, level }) => !tentative && level !== 'advisory')
  const hasFailed = gating.some(({ verdict }) => verdict === 'fail' || verdict === 'error') || violations.length > 0
  const reached = hasFailed || kind === 'partial' ? undefined : levelReached(checks, checks)
  if (hasFailed) return { verdict: 'failed', level: 'none' }
  const survived = mutants.some(({ outcome }) => outcome === 'survived')
  if (reached !== requested || survived)
    return { verdict: 'incomplete', level: survived ? 'none' : (reached ?? 'none') }
  return { verdict: 'certified', level: reached }
}

/** Draws the conclusions again from the raw results. An empty list means that the certificate says what it shows. */
export function verifyCertificate(certificate: Certificate): string[] {
  const { format: _format, hash, run: _run, ...findings } = certificate
  const problems = planViolations(
    findings.checks,
    findings.checks.map(({ key }) => key),
    [],
  )
  if (hashOf(findings) !== hash) problems.push('the findings do not match their hash')
  const planned = findings.checks.map(({ key, rule, level, tentative }) => ({ key, rule, level, tentative }))
  const own = createPlan(findings.requested)
  if (planHash(planned) !== findings.planHash) problems.push('the checks listed are not those of the plan')
  if (findings.kind === 'full' && findings.planHash !== own.hash)
    problems.push('the plan hash is unknown to this suite')
  const { verdict, level } = conclusion(findings)
  if (verdict !== findings.verdict || level !== findings.level)
    problems.push(`the results say ${verdict} at ${level}, not ${findings.verdict} at ${findings.level}`)
  if (JSON.stringify(countVerdicts(findings.checks)) !== JSON.stringify(findings.counts))
    problems.push('the counts are not those of the results')
  for (const { key, reason } of findings.checks.filter((one) => one.verdict === 'inapplicable')) {
    const premise = Object.entries(premises).find(([name]) => name === reason)?.[1]
    if (premise?.(findings) !== true) problems.push(`${key} is inapplicable, and nothing here says why`)
  }
  return problems
}

/** Certified: 0. A check failed: 1. Incomplete, partial or unproven: 2. */
export const exitCode = ({ verdict, kind }: Certificate): 0 | 1 | 2 => {
  if (verdict === 'failed') return 1
  return verdict === 'certified' && kind === 'full' ? 0 : 2
}

export const lastLine = ({ counts }: Certificate): string => tally(counts)
