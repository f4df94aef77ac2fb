import type { ContextOptions } from './context.ts'
import { referencePlace } from './control.ts'
import type { Place, StoreUnderTest } from './define.ts'
import type { Check } from './check.ts'
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

/** The same checks on the reference store, unbroken: one that it fails would kill any mutant for no reason. */
export async function runControl(
  subject: StoreUnderTest,
  chosen: readonly Mutant[],
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
  const { transaction, worker } = place
  const brokenWorker: BrokenWorker | undefined = worker && { ...worker, mutant: mutant.id }
  return {
    ...place,
    ...(transaction !== undefined &&
      mutant.transaction !== undefined && { transaction: mutant.transaction(transaction, shared) }),
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
  const shared: Shared = { memory: new Map() }
  const place =
    check.fresh === true
      ? await openStage(subject, `${options.id}_${id.toLowerCase().replace('@', '_')}`, { migrated: false })
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
    const { verdict, what, got } = await runCheck(check, broken, { ...options, app: `${key}.${id}` })
    if (verdict === 'fail') return { id, check: key, outcome: 'killed', ...(what !== undefined && { note: what }) }
    return {
      id,
      check: key,
      outcome: 'survived',
      note: `${verdict}${what === undefined ? '' : `: ${what}: ${got ?? ''}`}`,
    }
  } finally {
    if (place !== stage) await place.end()
  }
}
