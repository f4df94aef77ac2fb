import { abilities, facts, type Fact } from '@daybook/core'
import type { Findings } from './certificate.ts'
import type { Lack } from './define.ts'
import type { InapplicableReason } from './expect.ts'
import type { Result } from './verdict.ts'

/** The facts that checks open with, and what a `no` makes of those checks. */
const reasons: Readonly<Partial<Record<Fact, InapplicableReason>>> = {
  persistent: 'data end with the process',
  concurrentWriters: 'writers take turns',
}

/** What each lack of a place makes of the checks that would need it. Without a pool they go on with one connection. */
export const reasonOfLack: Readonly<Record<Exclude<Lack, 'pool'>, InapplicableReason>> = {
  roles: 'the database has no roles',
  schema: 'the store has no schema',
  locks: 'only a store can hold a lock',
  network: 'no network in between',
  storage: 'no disk within reach',
  refusals: 'the database refuses nothing by itself',
  opening: 'the application opens the database',
  chunks: 'the store removes all at once',
}

type Declared = Pick<Findings, 'capabilities' | 'place' | 'checks'>

const says =
  (lack: Lack) =>
  ({ place }: Declared): boolean =>
    place.lacks.includes(lack)
const isNo =
  (fact: Fact) =>
  ({ capabilities, checks }: Declared): boolean =>
    capabilities[fact] === 'no' &&
    checks.some(({ key, verdict }) => key === factKey(fact) && (verdict === 'pass' || verdict === 'inapplicable'))

/** What a certificate has to show for each reason for which a check did not apply. */
export const premises: Readonly<Record<InapplicableReason, (declared: Declared) => boolean>> = {
  'the database has no roles': says('roles'),
  'the store has no schema': says('schema'),
  'only a store can hold a lock': says('locks'),
  'no network in between': says('network'),
  'no disk within reach': says('storage'),
  'the database refuses nothing by itself': says('refusals'),
  'the application opens the database': says('opening'),
  'the store removes all at once': says('chunks'),
  'data end with the process': isNo('persistent'),
  'writers take turns': isNo('concurrentWriters'),
  'the ability has no method here': ({ capabilities }) => abilities.some((ability) => capabilities[ability] === 'no'),
  'a fact that is no, and nothing to see it by': ({ capabilities }) =>
    facts.some((fact) => capabilities[fact] === 'no'),
}

export const reasonWithout = (fact: Fact): InapplicableReason =>
  reasons[fact] ?? 'a fact that is no, and nothing to see it by'

/** The check that looks whether a fact is as declared. */
const factKey = (fact: Fact): string => `META-03@${fact}`

/**
 * Checks that a fact has closed stay closed only if that fact was looked at: a store that merely says that its data end
 * with the process does not get around the checks of processes.
 */
export function settleFacts(results: readonly Result[]): Result[] {
  const byKey = new Map(results.map((result) => [result.key, result]))
  return results.map((result) => {
    const fact = facts.find((one) => reasons[one] !== undefined && reasons[one] === result.reason)
    if (result.verdict !== 'inapplicable' || fact === undefined) return result
    const look = byKey.get(factKey(fact))
    if (look?.verdict === 'pass') return result
    if (look?.verdict === 'inapplicable') return { ...result, what: `${fact}: declared; ${look.reason ?? ''}` }
    return {
      ...result,
      verdict: 'unproven',
      reason: 'fact not observed',
      what: `fact not observed: ${fact} is no, and ${factKey(fact)} is ${look?.verdict ?? 'not in this run'}`,
    }
  })
}
