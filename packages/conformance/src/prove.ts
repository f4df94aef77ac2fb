import type { ContextOptions } from './context.ts'
import { referencePlace } from './control.ts'
import type { OwnMutant, Place, StoreUnderTest } from './define.ts'
import type { Check } from './check.ts'
import { spoiltStorage } from './mutants/faults.ts'
import type { Mutant, MutantResult, Shared } from './mutant.ts'
import type { BrokenWorker } from './process.ts'
import { runCheck } from './run-check.ts'
import { openStage } from './stage.ts'
import type { Result } from './verdict.ts'

export interface ProveOptions extends Omit<ContextOptions, 'app'> {
  readonly checks: readonly Check[]
  /** Id for the place of the broken stores. */
  readonly id: string
  /** Keys of the checks that the unbroken store passed in this run: the control. */
  readonly passed: ReadonlySet<string>
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
  const results: MutantResult[] = []
  const stage = await openStage(subject, options.id)
  try {
    for (const mutant of mutants) {
      const result = await prove(mutant, subject, stage, options)
      if (result.outcome === 'survived')
        options.log?.(`${mutant.id} (${mutant.bug}) ${result.outcome}: ${result.note ?? ''}`)
      results.push(result)
    }
  } finally {
    await stage.end()
  }
  return results
}

/** Bugs that the subject builds into its store by itself: each has a place of its own, since its schema may be the bug. */
export async function proveOwnMutants(
  subject: StoreUnderTest,
  mutants: readonly OwnMutant[],
  options: ProveOptions,
): Promise<MutantResult[]> {
  const results: MutantResult[] = []
  for (const { id, check: key, inapplicable, provision } of mutants) {
    const check = options.checks.find((one) => one.key === key)
    const why =
      inapplicable ??
      (check === undefined || !options.passed.has(key) ? 'the check is not passed by the unbroken store' : undefined)
    if (check === undefined || why !== undefined) {
      results.push({ id, check: key, outcome: 'inapplicable', ...(why !== undefined && { note: why }) })
      continue
    }
    const result = await proveOwn({ id, check, provision }, subject, options).catch((error: unknown): MutantResult => ({
      id,
      check: key,
      outcome: 'survived',
      note: `cannot start: ${String(error)}`,
    }))
    if (result.outcome === 'survived') options.log?.(`${id} survived: ${result.note ?? ''}`)
    results.push(result)
  }
  return results
}

async function proveOwn(
  { id, check, provision }: Pick<OwnMutant, 'id' | 'provision'> & { readonly check: Check },
  subject: StoreUnderTest,
  options: ProveOptions,
): Promise<MutantResult> {
  const place = `${options.id}_${id.toLowerCase().replace('@', '_')}`
  const stage = await openStage({ ...subject, provision }, place, {
    migrated: check.fresh !== true,
    ownServer: check.ownServer,
    settings: check.settings,
  })
  try {
    return judged(id, check.key, await runCheck(check, stage, { ...options, app: `${check.key}.${id}` }))
  } finally {
    await stage.end()
  }
}

/** Only an assertion of the check that failed has killed a mutant. */
const judged = (id: MutantResult['id'], key: string, { verdict, what, got, byMistake }: Result): MutantResult =>
  verdict === 'fail' && byMistake !== true
    ? { id, check: key, outcome: 'killed', ...(what !== undefined && { note: what }) }
    : {
        id,
        check: key,
        outcome: 'survived',
        note: `${byMistake === true ? 'a mistake in a program' : verdict}${what === undefined ? '' : `: ${what}: ${got ?? ''}`}`,
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
  try {
    for (const check of options.checks.filter(({ key }) => named.has(key))) {
      const stage =
        check.fresh === true ? await openStage(reference, `${options.id}_fresh`, { migrated: false }) : shared
      results.push(await runCheck(check, stage, { ...options, app: `${check.key}.control` }))
      if (stage !== shared) await stage.end()
    }
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
  options: ProveOptions,
): Promise<MutantResult> {
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
    return judged(id, key, await runCheck(check, broken, { ...options, app: `${key}.${id}` }))
  } finally {
    if (place !== stage) await place.end()
  }
}
