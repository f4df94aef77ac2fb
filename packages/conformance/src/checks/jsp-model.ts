import * as fc from 'fast-check'
import type { Scalar, StateCondition } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal } from '../expect.ts'
import { judged, meets } from '../filter-model.ts'
import { keyOf, newSession, numbers } from '../fixtures.ts'
import { runProperty } from '../model.ts'
import { foundBy, shown } from './jsp-look.ts'

const key = fc.constantFrom('a', 'b', 'A', '0', '-', '', 'a.b', '"', '\\', '😀', '\u0001', '\0', '\ud800', "'", '$')
const text = fc.oneof(
  fc.constantFrom(
    '',
    '1',
    'true',
    'null',
    'a',
    'A',
    'a ',
    'é',
    'e\u0301',
    '\uffee',
    '😀',
    '\0',
    '\ud7ff',
    '\udfff',
    '"a"',
    '\\',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
  fc.constantFrom('p'.repeat(300), `${'p'.repeat(299)}q`, '日'.repeat(260)),
)
const number = fc.oneof(
  fc.constantFrom(0, 1, -1, 1.5, 0.1, 2 ** 53, 2 ** 63, 1e21, 5e-324),
  fc.integer({ min: -3, max: 3 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
)
const scalar: fc.Arbitrary<Scalar> = fc.oneof(text, number, fc.boolean(), fc.constant(null))

const { value } = fc.letrec<{ value: unknown; list: unknown[]; object: Record<string, unknown> }>((tie) => ({
  value: fc.oneof({ maxDepth: 3, depthSize: 'small' }, scalar, tie('list'), tie('object')),
  list: fc.array(tie('value'), { maxLength: 5 }),
  object: fc.dictionary(key, tie('value'), { maxKeys: 3 }),
}))

/** A key of the session itself: prefixes belong to other scopes. */
const document: fc.Arbitrary<Record<string, unknown>> = fc.dictionary(key, value, { maxKeys: 4 })

/** Paths and scalars out of the documents, so that conditions meet something, and some of neither. */
function conditionsOn(documents: readonly unknown[]): fc.Arbitrary<StateCondition> {
  const [paths, scalars] = [new Map<string, StateCondition['path']>(), new Set<Scalar>()]
  const contained: StateCondition[] = []
  const walk = (here: unknown, path: StateCondition['path']): void => {
    if (path.length > 0) paths.set(JSON.stringify(path), path)
    if (typeof here !== 'object' || here === null) scalars.add(here as Scalar) // JSON has nothing else
    else if (Array.isArray(here))
      for (const [i, item] of here.entries()) {
        walk(item, [...path, i])
        contained.push({ path, op: 'contains', value: item as Scalar }) // where it is none, it is left out below
      }
    else for (const [name, item] of Object.entries(here)) walk(item, [...path, name])
  }
  for (const one of documents) walk(one, [])
  const strange = fc.array(fc.oneof(key, fc.nat({ max: 2 })), { minLength: 1, maxLength: 3 })
  const path =
    paths.size === 0 ? strange : fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...paths.values()) }, strange)
  const one = scalars.size === 0 ? scalar : fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...scalars) }, scalar)
  const bound = one.filter((given): given is string | number => typeof given === 'string' || typeof given === 'number')
  const members = contained.filter(
    (each) => each.op === 'contains' && (typeof each.value !== 'object' || each.value === null),
  )
  return fc.oneof(
    ...(members.length === 0 ? [] : [fc.constantFrom(...members)]),
    fc.record({ path, op: fc.constantFrom('eq', 'ne', 'contains'), value: one }),
    fc.record({ path, op: fc.constantFrom('lt', 'lte', 'gt', 'gte'), value: bound }),
    fc.record({ path, op: fc.constant('in'), value: fc.array(one, { maxLength: 4 }) }),
    fc.record({ path, op: fc.constant('exists') }),
  )
}

const perRound = 8

const round = fc.array(document, { minLength: 1, maxLength: 6 }).chain((documents) =>
  fc.record({
    documents: fc.constant(documents),
    conditions: fc.array(conditionsOn(documents), { minLength: perRound, maxLength: perRound }),
  }),
)

/** The same sessions get new documents in each round: `s1` to `s6`, those without one an empty document. */
async function rewrite(ctx: Ctx, documents: readonly Record<string, unknown>[]): Promise<Map<string, object>> {
  const states = new Map<string, object>()
  for (const i of numbers(6)) {
    const state = documents[i - 1] ?? {}
    await ctx.store.sessions.update(keyOf(ctx, `s${i}`), { replace: state })
    states.set(`s${i}`, state)
  }
  return states
}

export async function sameAsReference(ctx: Ctx): Promise<void> {
  for (const i of numbers(6)) await newSession(ctx, `s${i}`)
  const body = async ({
    documents,
    conditions,
  }: {
    documents: Record<string, unknown>[]
    conditions: StateCondition[]
  }) => {
    const states = await rewrite(ctx, documents)
    const filters = [...conditions.map((one) => [one]), conditions.slice(0, 2), conditions.slice(2, 5)]
    for (const where of filters) {
      const expected = [...states].filter(([, state]) => meets(state, where)).map(([id]) => id)
      equal(await foundBy(ctx, where), expected, `the filter ${shown(where)}`)
    }
  }
  await runProperty(ctx, round, body)
}

const opposites = { eq: 'ne', ne: 'eq', lt: 'gte', gte: 'lt', gt: 'lte', lte: 'gt' } as const

export async function complete(ctx: Ctx): Promise<void> {
  for (const i of numbers(6)) await newSession(ctx, `s${i}`)
  const body = async ({
    documents,
    conditions,
  }: {
    documents: Record<string, unknown>[]
    conditions: StateCondition[]
  }) => {
    const states = await rewrite(ctx, documents)
    for (const condition of conditions) {
      if (!(condition.op in opposites)) continue
      const opposite = { ...condition, op: Reflect.get(opposites, condition.op) } as StateCondition // one of the same kind
      const unknown = [...states].filter(([, state]) => judged(state, condition) === 'unknown').map(([id]) => id)
      const parts = [...(await foundBy(ctx, [condition])), ...(await foundBy(ctx, [opposite])), ...unknown]
      equal(parts.toSorted(), [...states.keys()], `${shown([condition])}, its opposite and the unknown`)
    }
  }
  await runProperty(ctx, round, body, Math.ceil(ctx.budget.modelRuns / 3))
}
