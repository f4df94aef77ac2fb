import { randomInt } from 'node:crypto'
import type { Store } from '@daybook/core'
import { besideOneAnother, groups, levelOf, type Check, type Level } from './check.ts'
import { createCertificate, type Certificate } from './certificate.ts'
import { budgets, type Budget } from './context.ts'
import { defineStoreUnderTest, SubjectError, type StoreUnderTest } from './define.ts'
import { describe, type Counterexample } from './expect.ts'
import { settleFacts } from './facts.ts'
import { besideThenAlone } from './lanes.ts'
import { runId } from './left-places.ts'
import type { MutantResult } from './mutant.ts'
import { mutants } from './mutants/index.ts'
import { createPlan, type Plan } from './plan.ts'
import { endProcesses } from './processes.ts'
import { redactText } from './redact.ts'
import { proveMutants, proveOwnMutants, runControl } from './prove.ts'
import { runCheck } from './run-check.ts'
import { openStage, type OpenStage } from './stage.ts'
import { planViolations, tally, type Result } from './verdict.ts'
import { seedWitness, watchWitness, witnessChecksum, type WitnessWatch } from './witness.ts'
import { recordCalls } from './wrap.ts'

export interface RunOptions {
  /** Which checks are planned. Default `concurrent`. */
  readonly level?: Level
  /** `quick` ends within a minute. Default `quick`. */
  readonly budget?: 'quick' | 'cert'
  /** The seed beside the fixed one. Default: random, and printed. */
  readonly seed?: number
  /** Run every mutant, not only the canaries. */
  readonly prove?: boolean
  /** Ids, keys, or prefixes ending in `*`. The certificate is partial then. */
  readonly only?: readonly string[]
  /** Break the store on purpose. Default true; without it nothing tells whether the checks can fail. */
  readonly canaries?: boolean
  /** What a check of `only` failed with once: it draws that again, and nothing else. */
  readonly replay?: Counterexample
  /** How many checks run at once, where they may. With 1 each runs by itself, and what goes wrong is its own. Default: what the subject says, or 4. */
  readonly lanes?: number
  /** How many of the slowest checks the report names, with their times. Default 5. */
  readonly slowest?: number
  readonly log?: (line: string) => void
}

/** What the checks of the suite on itself may look at. */
export interface Kernel {
  readonly plan: Plan
  readonly seed: number
  /** Results so far, in the order in which they came. */
  readonly results: readonly Result[]
  /** Canaries, or all mutants; empty until the other groups have run. */
  readonly mutants: readonly MutantResult[]
  /** Results of the reference store at the checks that the chosen mutants name. */
  readonly control: readonly Result[]
  /** Methods of the contract that a check has called. */
  readonly called: ReadonlySet<string>
  /** Where the witness tenant was found changed. */
  readonly witnessChangedBy: readonly string[]
}

interface Run {
  readonly subject: StoreUnderTest
  readonly id: string
  readonly budget: Budget
  readonly replay: Counterexample | undefined
  readonly lanes: number
  readonly log: (line: string) => void
  readonly kernel: {
    plan: Plan
    seed: number
    results: Result[]
    mutants: MutantResult[]
    control: Result[]
    called: Set<string>
    witnessChangedBy: string[]
  }
}

/** Plans, runs and judges. Rejects only when the store or the harness could not start. */
export async function runConformance(subject: StoreUnderTest, options: RunOptions = {}): Promise<Certificate> {
  defineStoreUnderTest(subject)
  const { level = 'concurrent', budget = 'quick', seed = randomInt(2 ** 31), only = [] } = options
  const { prove = false, canaries = true, lanes = subject.lanes ?? 4, slowest = 5 } = options
  if (!Number.isSafeInteger(lanes) || lanes < 1) throw new SubjectError(`lanes is a whole number from 1, not ${lanes}`)
  const log = (line: string) => options.log?.(redactText(line))
  const plan = createPlan(level, only)
  const run: Run = {
    subject,
    id: runId((places += 1)),
    budget: budgets[budget],
    replay: options.replay,
    lanes,
    log,
    kernel: { plan, seed, results: [], mutants: [], control: [], called: new Set(), witnessChangedBy: [] },
  }
  log(`${subject.subject.name}: ${plan.checks.length} checks, plan ${plan.hash.slice(0, 12)}, seed ${seed}`)
  const started = performance.now()
  const stage = await openStage(subject, run.id, { wrap: (store) => recordCalls(store, run.kernel.called) })
  try {
    const health = await stage.store.health({ deep: true })
    await runAll(run, stage, canaries ? (prove ? 'all' : 'canaries') : 'none')
    const violations = planViolations(
      plan.planned,
      run.kernel.results.map(({ key }) => key),
      groupsOf(plan),
    )
    const certificate = createCertificate({
      ...run.kernel,
      subject,
      level,
      budget,
      health,
      violations,
      store: stage.store,
      place: stage.place,
      slowest,
      ms: Math.round(performance.now() - started),
    })
    log(`mutants: ${killed(run)} of ${applicable(run)} killed${notApplicable(run)}`)
    log(tally(certificate.counts))
    return certificate
  } finally {
    await stage.end()
    await endProcesses()
  }
}

/** The groups that have a check at this level: concurrency has none at `core`. */
const groupsOf = (plan: Plan) => groups.filter((group) => plan.checks.some(({ id }) => id.startsWith(`${group}-`)))

let places = 0

const killed = ({ kernel }: Run) => kernel.mutants.filter(({ outcome }) => outcome === 'killed').length
const applicable = ({ kernel }: Run) => kernel.mutants.filter(({ outcome }) => outcome !== 'inapplicable').length
const notApplicable = ({ kernel }: Run) => {
  const rest = kernel.mutants.filter(({ outcome }) => outcome === 'inapplicable').map(({ id }) => id)
  return rest.length === 0 ? '' : ` (not applicable: ${rest.join(' ')})`
}

// These look at what the others left, and at what became of the mutants.
const isMeta = ({ id }: Check) => id.startsWith('META-') && id !== 'META-03'

/** Which mutants are tried. */
type Proof = 'none' | 'canaries' | 'all'

async function runAll(run: Run, stage: OpenStage, proof: Proof): Promise<void> {
  const { plan, results } = run.kernel
  await seedWitness(stage.store)
  const look = () => witnessChecksum(stage.store)
  const witness = watchWitness(look, await look())
  await besideThenAlone(
    plan.checks.filter((one) => !isMeta(one)),
    { ...besideOneAnother, lanes: run.lanes },
    (check) => judge(run, check, stage, witness),
  )
  const place = new Map(plan.checks.map(({ key }, i) => [key, i]))
  const planned = results.toSorted((a, b) => (place.get(a.key) ?? 0) - (place.get(b.key) ?? 0))
  results.splice(0, Infinity, ...settleFacts(planned))
  if (proof !== 'none') await breakOnPurpose(run, proof)
  for (const check of plan.checks.filter(isMeta)) await judge(run, check, stage, witness)
}

async function judge(run: Run, check: Check, stage: OpenStage, witness: WitnessWatch): Promise<void> {
  witness.begins(check.key)
  const result = witnessed(run, await ranOn(run, check, stage), await witness.ends(check.key))
  run.kernel.results.push(result)
  report(run, check, result)
}

/** Runs the check on the stage of all, or on one of its own. */
async function ranOn(run: Run, check: Check, stage: OpenStage): Promise<Result> {
  const options = {
    kernel: run.kernel,
    budget: run.budget,
    seed: run.kernel.seed,
    app: check.key,
    ...(run.replay !== undefined && { replay: run.replay }),
  }
  const ranOnly = async (on: OpenStage) => deviated(run.subject, check, await runCheck(check, on, options))
  if (check.fresh !== true && check.settings === undefined) return ranOnly(stage)
  const own = await openStage(run.subject, `${run.id}_${run.kernel.plan.checks.indexOf(check)}`, {
    migrated: check.fresh !== true,
    wrap: stage.wrap,
    ownServer: check.ownServer,
    settings: check.settings,
  })
  try {
    // A fresh place begins without a schema, and is about that: nobody else may have written there.
    if (check.fresh === true) return await ranOnly(own)
    const before = await seededChecksum(own.store)
    if (typeof before !== 'string') return deviated(run.subject, check, unseeded(check, before.error))
    const result = await ranOnly(own)
    const after = await witnessChecksum(own.store).catch((error: unknown) => `unreadable: ${String(error)}`)
    return witnessed(run, result, after === before ? [] : [check.key])
  } finally {
    await own.end()
  }
}

/** A store that cannot even write the witness under the settings of a check has not passed it; the run goes on. */
async function seededChecksum(store: Store): Promise<string | { readonly error: unknown }> {
  try {
    await seedWitness(store)
    return await witnessChecksum(store)
  } catch (error) {
    return { error }
  }
}

const unseeded = ({ key }: Check, error: unknown): Result => ({
  key,
  verdict: 'error',
  ms: 0,
  what: 'the witness tenant can be written and read',
  expected: 'no error',
  got: describe(error),
})

/** A check that may have changed the witness did not pass. */
function witnessed({ kernel }: Run, result: Result, suspects: readonly string[]): Result {
  if (suspects.length === 0) return result
  kernel.witnessChangedBy.push(result.key)
  if (result.verdict !== 'pass') return result
  const others = suspects.filter((key) => key !== result.key)
  const beside = others.length === 0 ? '' : `, here or in what ran beside it: ${others.join(', ')}`
  return {
    ...result,
    verdict: 'fail',
    what: 'the witness tenant is untouched',
    expected: 'the same checksum',
    got: `another one: a statement lacks its key${beside}`,
  }
}

/** A defect that the subject lists by name: it may fail, and it has to be taken off the list when it does not. */
function deviated({ broken = [] }: StoreUnderTest, check: Check, result: Result): Result {
  const entry = broken.find(({ checks }) => checks.includes(check.id) || checks.includes(check.key))
  if (entry === undefined) return result
  if (result.verdict === 'fail' || result.verdict === 'error')
    return { ...result, verdict: 'deviation', what: `${result.what ?? ''} (${entry.issue})` }
  // An entry for a rule with several checks stays for the sake of the others.
  if (result.verdict !== 'pass' || !entry.checks.includes(check.key)) return result
  return {
    ...result,
    verdict: 'fail',
    what: 'fixed: remove the entry from broken',
    expected: 'a failure, as listed',
    got: 'a pass',
  }
}

function report(run: Run, check: Check, { verdict, what, expected, got, reason }: Result): void {
  if (verdict === 'fail' || verdict === 'error' || verdict === 'deviation') {
    run.log(
      `${verdict} ${check.key}: ${check.rule}\n  what: ${what ?? ''}\n  expected: ${expected ?? ''}\n  got: ${got ?? ''}`,
    )
  }
  if (verdict === 'unproven') run.log(`unproven ${check.key}: ${what ?? reason ?? ''}`)
}

/** A check that an absent ability closed did not run, and sees no bug. */
const isTried = ({ key, verdict }: Result) =>
  verdict === 'pass' || (verdict === 'absent-verified' && key.startsWith('META-03@'))

/** Canaries, or all mutants; afterwards the races count only if the race canaries died. */
async function breakOnPurpose(run: Run, proof: Proof): Promise<void> {
  const { kernel, subject, log } = run
  const planned = new Set(kernel.plan.checks.map(({ key }) => key))
  const chosen = mutants.filter(({ canary, check }) => (proof === 'all' || canary === true) && planned.has(check))
  const passed = new Set(kernel.results.filter(isTried).map(({ key }) => key))
  // What the quick budget sees, the other one does too.
  const budget: Budget = { ...budgets.quick, isProof: true }
  const { seed, plan } = kernel
  const options = { kernel, budget, seed, checks: plan.checks, id: `${run.id}_m`, passed, lanes: run.lanes, log }
  const own = (proof === 'all' ? (subject.mutants ?? []) : []).filter(({ check }) => planned.has(check))
  kernel.control.push(...(await runControl(subject, [...chosen, ...own], options)))
  if (chosen.length > 0) kernel.mutants.push(...(await proveMutants(subject, chosen, options)))
  kernel.mutants.push(...(await proveOwnMutants(subject, own, options)))
  const survivor = kernel.mutants.find(
    ({ id, outcome }) => outcome === 'survived' && mutants.some((mutant) => mutant.id === id && mutant.isRace),
  )
  if (survivor === undefined) return
  const races = new Set(kernel.plan.checks.filter((check) => levelOf(check) === 'concurrent').map(({ key }) => key))
  kernel.results.forEach((result, i) => {
    if (!races.has(result.key) || result.verdict !== 'pass') return
    kernel.results[i] = {
      ...result,
      verdict: 'unproven',
      reason: 'race canary survived',
      what: `${survivor.id} survived`,
    }
  })
}
