import { expect, test } from 'vitest'
import { mutants } from '../src/mutants.ts'
import { createPlan } from '../src/plan.ts'
import { runConformance } from '../src/run.ts'
import { subjectOf } from './backends.ts'
import { memory } from './memory-subject.ts'

const all = process.env['DAYBOOK_PROVE'] === '1'
// Without a network and a disk there is nothing that a fault could hit.
const planned = new Set(createPlan('concurrent').planned.map(({ key }) => key))
const chosen = mutants.filter(({ canary, check }) => (all || canary === true) && planned.has(check))

// Reports the number of executions: a proof that ran nothing has proven nothing.
test(`${all ? 'every mutant' : 'the canaries'}: each is failed by the named check, as an assertion of that check`, async () => {
  const { mutants: results, checks } = await runConformance(memory, {
    only: [...new Set(chosen.map(({ check }) => check))],
    prove: all,
  })
  // The store in memory has no other processes, no transaction of a caller, no locks of others, no schema, no SQL and no index.
  const inapplicable = all
    ? (
        'M22@process M26 M48 M57 M58 M59 M61 M62 M63 M64 M65 M67 M113 M144 M150 M218 M219 M224 M242 M283 M285 M286 M287 M288 M327 M328 ' +
        'M329 M330 M331 M341 M350 M351 M352 M353 M360 M361 M378 M379 M382 M383 M386 M387 M388 M429 M430 M507 M518 M526 M527 M528 M531 M554 M645'
      ).split(' ')
    : ['M22@process', 'M48']
  expect(results.filter(({ outcome }) => outcome === 'survived')).toEqual([])
  expect(results.filter(({ outcome }) => outcome === 'inapplicable').map(({ id }) => id)).toEqual(inapplicable)
  expect(results.filter(({ outcome }) => outcome === 'killed')).toHaveLength(chosen.length - inapplicable.length)
  expect(checks.filter(({ verdict }) => verdict === 'fail' || verdict === 'error')).toEqual([])
  console.info(`mutants: ${results.length - inapplicable.length} of ${chosen.length - inapplicable.length} killed`)
}, 120_000)

// A list that may only shrink: whoever adds a check adds a mutant that it kills, or says here that none is. Bugs in SQL
// count, too: those that every store over Drizzle lists.
test('checks that kill no mutant', async () => {
  const { mutants: inSql = [] } = await subjectOf('sqlite')
  const killers = new Set([...mutants, ...inSql].map(({ check }) => check))
  const idle = createPlan('durable').planned.filter(({ key }) => !killers.has(key))
  await expect(idle.map(({ key }) => `${key}\n`).join('')).toMatchFileSnapshot('checks-without-mutant.txt')
})

test('there are at least a dozen canaries, and five of them are races', () => {
  const canaries = mutants.filter(({ canary }) => canary === true)
  expect(canaries.length).toBeGreaterThanOrEqual(12)
  expect(canaries.filter(({ isRace }) => isRace === true).length).toBeGreaterThanOrEqual(5)
  expect(new Set(mutants.map(({ id }) => id)).size).toBe(mutants.length)
})
