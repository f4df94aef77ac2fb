import type { ContextOptions } from './context.ts'
import { referencePlace } from './control.ts'
import type { OwnMutant, Place, StoreUnderTest } from './define.ts'
import { besideOneAnother, type Check } from './check.ts'
import { besideThenAlone } from './lanes.ts'
import { spoiltStorage } from './mutants/faults.ts'
import type { Mutant, MutantResult, Shared } from './mutant.ts'
import type { BrokenWorker } from './process.ts'
import { isUnattributed, runCheck } from './run-check.ts'
import { openStage } from './stage.ts'
import type { Result } from './verdict.ts'

export interface ProveOptions extends Omit<ContextOptions, 'app'> {
  readonly checks: readonly Check[]
  /** Id for the place of the broken stores. */
  readonly id: string
  /** Keys of the checks that the unbroken store passed in this run: the control. */
  readonly passed: ReadonlySet<string>
  /** How many broken stores are tried at once, where their checks may run beside others. */
  readonly lanes: number
  readonly log?: (line: string) => void
}

/**
 * Breaks the user's own store on purpose, one bug at a time, and sees whether the named check fails *for its reason*: an
 * assertion of that check, not a crash. Executions are counted, so that a run of nothing is not a proof.
 */
export async function proveMutants(
  subject: StoreUnderTest,
  mutants: readonly Mutant[],
  options: ProveOptions,
): Promise<MutantResult[]> {
  const stage = await openStage(subject, options.id)
  try {
    return await eachProven(mutants, options, (mutant, turn) => prove(mutant, subject, stage, { ...options, turn }))
  } finally {
    await stage.end()
  }
}

/** Bugs that the subject builds into its store by itself: each has a place of its own, since its schema may be the bug. */
export const proveOwnMutants = (
  subject: StoreUnderTest,
  mutants: readonly OwnMutant[],
  options: ProveOptions,
): Promise<MutantResult[]> =>
  eachProven(mutants, options, async ({ id, check: key, inapplicable, provision }, turn) => {
    const check = options.checks.find((one) => one.key === key)
    const why =
      inapplicable ??
      (check === undefined || !options.passed.has(key) ? 'the check is not passed by the unbroken store' : undefined)
    if (check === undefined || why !== undefined)
      return { id, check: key, outcome: 'inapplicable', ...(why !== undefined && { note: why }) }
    return proveOwn({ id, check, provision }, subject, { ...options, turn }).catch((error: unknown): MutantResult => ({
      id,
      check: key,
      outcome: 'survived',
      note: `cannot start: ${String(error)}`,
    }))
  })

type AnyMutant = Pick<Mutant | OwnMutant, 'id' | 'bug' | 'check'> & Pick<Mutant, 'isRace'>

/**
 * So often is a bug of a race tried before it has survived: where the machine gives one writer the processor and none to
 * the other, they do not meet, which says nothing of the check.
 */
const raceAttempts = 3

/** Results in the order of the mutants. */
async function eachProven<M extends AnyMutant>(
  mutants: readonly M[],
  { checks, lanes, log }: ProveOptions,
  proof: (mutant: M, turn: string) => Promise<MutantResult | undefined>,
): Promise<MutantResult[]> {
  const checkOf = new Map(checks.map((check) => [check.key, check]))
  const results = new Map<M, MutantResult>()
  const order = {
    lanes,
    isAlone: ({ check }: M) => checkOf.get(check)?.alone !== false,
    longest: ({ check }: M) => checkOf.get(check)?.budgetMs ?? 0,
  }
  const attempt = async (mutant: M, turn: string, times?: string) => {
    const result = await proof(mutant, turn)
    if (result === undefined) return
    const { outcome, note = '' } = result
    results.set(mutant, times !== undefined && outcome === 'killed' ? { ...result, note: `${times}: ${note}` } : result)
    if (outcome === 'survived') log?.(`${mutant.id} (${mutant.bug}) survived: ${note}`)
  }
  await besideThenAlone(mutants, order, (mutant) => attempt(mutant, ''))
  // What one of several left unhandled kills none of them: whose it was shows when nothing runs beside it.
  for (const mutant of mutants) if (!results.has(mutant)) await attempt(mutant, '.alone')
  for (let n = 2; n <= raceAttempts; n += 1)
    for (const mutant of mutants)
      if (mutant.isRace === true && results.get(mutant)?.outcome === 'survived')
        await attempt(mutant, `.${n}`, `at attempt ${n} of ${raceAttempts}`)
  return mutants.flatMap((mutant) => results.get(mutant) ?? [])
}

interface TurnOptions extends ProveOptions {
  /** Ends the name of the app, so that a second turn finds nothing of the first. */
  readonly turn: string
}

async function proveOwn(
  { id, check, provision }: Pick<OwnMutant, 'id' | 'provision'> & { readonly check: Check },
  subject: StoreUnderTest,
  options: TurnOptions,
): Promise<MutantResult | undefined> {
  const place = `${options.id}_${id.toLowerCase().replace('@', '_')}`
  const stage = await openStage({ ...subject, provision }, place, {
    migrated: check.fresh !== true,
    ownServer: check.ownServer,
    settings: check.settings,
  })
  try {
    return judged(id, check.key, await runCheck(check, stage, { ...options, app: `${check.key}.${id}${options.turn}` }))
  } finally {
    await stage.end()
  }
}

/** Only an assertion of the check that failed has killed a mutant; `undefined`: it failed by what may be another's. */
function judged(id: MutantResult['id'], key: string, result: Result): MutantResult | undefined {
  const { verdict, what, got, byMistake } = result
  if (isUnattributed(result)) return undefined
  if (verdict === 'fail' && byMistake !== true)
    return { id, check: key, outcome: 'killed', ...(what !== undefined && { note: what }) }
  const why = byMistake === true ? 'a mistake in a program' : verdict
  return { id, check: key, outcome: 'survived', note: `${why}${what === undefined ? '' : `: ${what}: ${got ?? ''}`}` }
}

/** The same checks on the reference store, unbroken: one that it fails would kill any mutant for no reason. */
export async function runControl(
  subject: StoreUnderTest,
  chosen: readonly { readonly check: string }[],
  options: ProveOptions,
): Promise<Result[]> {
  const named = new Set(chosen.map(({ check }) => check))
  const reference = { ...subject, provision: referencePlace }
  const shared = await openStage(reference, `${options.id}_control`)
  const results: Result[] = []
  const order = { ...besideOneAnother, lanes: options.lanes }
  try {
    const checks = options.checks.filter(({ key }) => named.has(key))
    await besideThenAlone(checks, order, async (check) => {
      const place = `${options.id}_fresh_${options.checks.indexOf(check)}`
      const stage = check.fresh === true ? await openStage(reference, place, { migrated: false }) : shared
      results.push(await runCheck(check, stage, { ...options, app: `${check.key}.control` }))
      if (stage !== shared) await stage.end()
    })
  } finally {
    await shared.end()
  }
  return results
}

/** The parts of a place that open stores by themselves are broken in the same way. */
function brokenPlace(place: Place, mutant: Mutant, shared: Shared): Place {
  const { transaction, worker, storage } = place
  const brokenWorker: BrokenWorker | undefined = worker && { ...worker, mutant: mutant.id }
  return {
    ...place,
    ...(transaction !== undefined &&
      mutant.transaction !== undefined && { transaction: mutant.transaction(transaction, shared) }),
    ...(storage !== undefined && { storage: spoiltStorage(storage, (store) => mutant.wrap(store, shared, {})) }),
    ...(brokenWorker !== undefined && mutant.inWorkers === true && { worker: brokenWorker }),
  }
}

type OpenStage = Awaited<ReturnType<typeof openStage>>

async function prove(
  mutant: Mutant,
  subject: StoreUnderTest,
  stage: OpenStage,
  options: TurnOptions,
): Promise<MutantResult | undefined> {
  const { id, check: key } = mutant
  const check = options.checks.find((one) => one.key === key)
  if (check === undefined) return { id, check: key, outcome: 'survived', note: `there is no check ${key}` }
  if (!options.passed.has(key))
    return { id, check: key, outcome: 'inapplicable', note: 'the check is not passed by the unbroken store' }
  if (mutant.fact !== undefined && subject.expects[mutant.fact] !== 'yes')
    return { id, check: key, outcome: 'inapplicable', note: `the store says no to ${mutant.fact}` }
  if (mutant.without !== undefined && subject.expects[mutant.without] !== 'no')
    return { id, check: key, outcome: 'inapplicable', note: `the store says yes to ${mutant.without}` }
  const shared: Shared = { memory: new Map() }
  const place =
    check.fresh === true || check.settings !== undefined
      ? await openStage(subject, `${options.id}_${id.toLowerCase().replace('@', '_')}`, {
          migrated: check.fresh !== true,
          ownServer: check.ownServer,
          settings: check.settings,
        })
      : stage
  const wrap: typeof stage.wrap = (store, openOptions) => mutant.wrap(store, shared, openOptions)
  const broken = {
    ...place,
    place: brokenPlace(place.place, mutant, shared),
    wrap,
    store: wrap(place.store, {}),
    other: wrap(place.other, {}),
  }
  try {
    return judged(id, key, await runCheck(check, broken, { ...options, app: `${key}.${id}${options.turn}` }))
  } finally {
    if (place !== stage) await place.end()
  }
}
