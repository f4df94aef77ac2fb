import * as fc from 'fast-check'
import type { Ability } from '@daybook/core'
import { probes } from '../absence.ts'
import { createCertificate, verifyCertificate } from '../certificate.ts'
import { check, rulesOf, type Check, type Checks, type RuleGroup } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal, holds, Unproven } from '../expect.ts'
import { factChecks } from './meta-facts.ts'
import { later } from '../later.ts'
import { commandsOf } from '../model-commands.ts'
import { fixedSeed } from '../model.ts'
import { mutants } from '../mutants/index.ts'
import { createPlan } from '../plan.ts'

const abilityNames = Object.keys(probes) as Ability[] // keys of a record by Ability

const absences = abilityNames.map((ability) =>
  check(
    'META-03',
    `an ability that is no is refused with unsupported: ${ability}`,
    async (ctx) => shown(ability, ctx),
    {
      variant: ability,
      capability: ability,
      alone: true, // it looks at the results of the others
    },
  ),
)

/** A yes has to be shown by the checks that it opens. */
async function shown(ability: Ability, ctx: Ctx): Promise<void> {
  const { plan, results } = ctx.kernel
  const opened = plan.checks.filter(({ capability, id }) => capability === ability && id !== 'META-03')
  const isShown = opened.some(({ key }) => results.some((one) => one.key === key && one.verdict === 'pass'))
  if (!isShown)
    throw new Unproven('no check yet', `the store says yes to ${ability}, and no check that it opens passed`)
}

/** Methods of the contract, so that one without a check is noticed. */
const methods: Readonly<Record<string, true>> = {
  migrate: true,
  indexStatePath: true,
  dropStatePathIndex: true,
  health: true,
  erase: true,
  close: true,
  ...Object.fromEntries(
    ['create', 'get', 'list', 'count', 'update', 'delete', 'fork', 'stateAt', 'prune', 'lease'].map((name) => [
      `sessions.${name}`,
      true,
    ]),
  ),
  ...Object.fromEntries(['append', 'get', 'list', 'tail'].map((name) => [`events.${name}`, true])),
  ...Object.fromEntries(['get', 'update'].map((name) => [`state.${name}`, true])),
  ...Object.fromEntries(
    (['memories', 'artifacts', 'metrics'] as const).flatMap((area) =>
      Object.keys(probes[area]).map((name) => [`${area}.${name}`, true]),
    ),
  ),
}

async function nothingIsMissing(ctx: Ctx): Promise<void> {
  const { kernel } = ctx
  const all: readonly Check[] = createPlan('durable').checks
  const keys = new Set(all.map(({ key }) => key))
  const ids = new Set<string>(all.map(({ id }) => id))
  equal(keys.size, all.length, 'keys of checks are unique')
  const ruleGroups = Object.keys(rulesOf) as RuleGroup[] // keys of a record
  const rules = ruleGroups.flatMap((group) =>
    Array.from({ length: rulesOf[group] }, (_, i) => `${group}-${String(i + 1).padStart(2, '0')}`),
  )
  const delayed = new Set(Object.keys(later))
  equal(
    rules.filter((id) => !ids.has(id) && !delayed.has(id)),
    [],
    'rules without a check, and not listed as later',
  )
  equal(
    rules.filter((id) => ids.has(id) && delayed.has(id)),
    [],
    'rules listed as later that have a check',
  )
  equal(
    mutants.filter(({ check: key }) => !keys.has(key)).map(({ id }) => id),
    [],
    'mutants whose check does not exist',
  )
  if (kernel.plan.isFull)
    equal(
      Object.keys(methods).filter((name) => !kernel.called.has(name)),
      [],
      'methods of the contract that no check has called',
    )
}

const sampleCommands = () =>
  fc.sample(commandsOf('sessions', 20), { seed: fixedSeed, numRuns: 5 }).map((commands) => [...commands].map(String))

/** A certificate of a run in which everything passed, honest and then tampered with. */
async function verifyNotices({ store, place, subject, kernel }: Ctx): Promise<void> {
  const plan = createPlan('core')
  const results = plan.planned.map(({ key }) => ({ key, verdict: 'pass' as const, ms: 0 }))
  const health = { ok: true, flavour: 'x', version: '1', latency: 0, schemaVersion: undefined, warnings: [] }
  const evidence: Parameters<typeof createCertificate>[0] = {
    subject: { ...subject, broken: [] },
    plan,
    level: 'core',
    budget: 'quick',
    results,
    mutants: [],
    violations: [],
    health,
    store,
    place,
    seed: kernel.seed,
    ms: 0,
    slowest: 5,
  }
  const honest = createCertificate(evidence)
  const excused = createCertificate({
    ...evidence,
    results: results.map((one, i) => (i > 0 ? one : { ...one, verdict: 'inapplicable' })),
  })
  holds(verifyCertificate(excused).length > 0, 'a check that did not apply without a reason is noticed')
  equal([verifyCertificate(honest), honest.verdict, honest.level], [[], 'certified', 'core'], 'an honest certificate')
  const [first, ...rest] = honest.checks
  const forgeries = [
    { ...honest, checks: rest },
    { ...honest, checks: [{ ...first, verdict: 'fail' as const }, ...rest] },
    { ...honest, counts: { ...honest.counts, fail: 1 } },
    { ...honest, level: 'concurrent' as const },
    { ...honest, planHash: 'f'.repeat(64) },
  ]
  for (const [i, forged] of forgeries.entries())
    holds(verifyCertificate(forged as typeof honest).length > 0, `forgery ${i} is noticed`) // the shape is the same
}

export const META: Checks = [
  check(
    'META-01',
    'the control passes: the reference store and the unbroken store fail no check that a mutant names',
    async ({ kernel }) => {
      const named = new Set(mutants.map(({ check: key }) => key))
      const failed = kernel.results.filter(
        ({ key, verdict }) => named.has(key) && (verdict === 'fail' || verdict === 'error'),
      )
      equal(
        failed.map(({ key }) => key),
        [],
        'checks of mutants that the unbroken store fails',
      )
      const tried = new Set(kernel.mutants.map(({ check: key }) => key))
      equal(
        kernel.control.map(({ key }) => key).toSorted(),
        [...tried].toSorted(),
        'checks of mutants that the reference store went through in this run',
      )
      equal(
        kernel.control.filter(({ verdict }) => verdict === 'fail' || verdict === 'error'),
        [],
        'checks of mutants that the reference store fails',
      )
    },
  ),
  check('META-02', 'the canaries are killed by the named check', async ({ kernel }) => {
    equal(
      kernel.mutants
        .filter(({ outcome }) => outcome === 'survived')
        .map(({ id, check: key, note }) => `${id} at ${key}: ${note ?? ''}`),
      [],
      'mutants that survived',
    )
    const expected = mutants.filter(
      ({ canary, check: key }) => canary === true && kernel.plan.checks.some((one) => one.key === key),
    )
    holds(
      kernel.mutants.length >= expected.length,
      'every canary was run',
      `${kernel.mutants.length} of ${expected.length}`,
    )
  }),
  ...absences,
  ...factChecks,
  check('META-04', 'what was executed is what was planned', async ({ kernel }) => {
    const own = new Set(
      kernel.plan.checks.filter(({ id }) => id.startsWith('META-') && id !== 'META-03').map(({ key }) => key),
    )
    const planned = kernel.plan.checks.map(({ key }) => key).filter((key) => !own.has(key))
    equal(
      kernel.results
        .map(({ key }) => key)
        .filter((key) => !own.has(key))
        .toSorted(),
      planned.toSorted(),
      'executed checks',
    )
  }),
  check('META-05', 'the witness tenant is as it was seeded', async ({ kernel }) =>
    equal(kernel.witnessChangedBy, [], 'checks after which the witness was changed'),
  ),
  check('META-06', 'every rule, method and mutant has a check', nothingIsMissing),
  check('META-08', 'verify draws the same conclusion from the raw results, and notices what was changed', async (ctx) =>
    verifyNotices(ctx),
  ),
  check('META-09', 'the same seed gives the same plan and the same commands', async ({ kernel }) => {
    equal(sampleCommands(), sampleCommands(), 'commands of one seed')
    equal(createPlan('durable').hash, createPlan('durable').hash, 'the plan')
    equal(kernel.plan.hash.length, 64, 'the plan has a hash')
  }),
]
