import type { StateCondition } from '@daybook/core'
import { check, type Checks } from '../check.ts'
import type { Ctx } from '../context.ts'
import { equal } from '../expect.ts'
import { filterArguments, literalFilters } from './jsp-arguments.ts'
import { indexArguments, indexedPaths, plansUseIndex } from './jsp-index.ts'
import { foundBy, seedStates, shown, type Documents } from './jsp-look.ts'
import { complete, sameAsReference } from './jsp-model.ts'
import { codePointOrder, numbersCompare } from './jsp-order.ts'
import { filterAndPage, filterAndTheRest } from './jsp-paging.ts'

type Expectations = readonly (readonly [StateCondition, readonly string[]])[]

/** Each condition by itself finds exactly these sessions. */
async function find(ctx: Ctx, documents: Documents, expected: Expectations): Promise<void> {
  await seedStates(ctx, documents)
  for (const [condition, ids] of expected)
    equal(await foundBy(ctx, [condition]), ids.toSorted(), `sessions that ${shown([condition])} finds`)
}

const nested: Documents = {
  top: { region: 'EMEA' },
  deep: { filters: { region: 'EMEA', list: [{ id: 7 }, 'b'] } },
  other: { region: 'APAC', filters: { region: 'AMER', list: ['b'] } },
  flat: { 'filters.region': 'EMEA', filters: 'EMEA' },
  list: { filters: ['EMEA'], region: ['EMEA'] },
  object: { filters: { 0: 'EMEA' }, region: { 0: 'EMEA' } },
  scalar: { region: 7, filters: 7 },
}

const equality: Expectations = [
  [{ path: ['region'], op: 'eq', value: 'EMEA' }, ['top']],
  [{ path: ['filters', 'region'], op: 'eq', value: 'EMEA' }, ['deep']],
  [{ path: ['filters', 'list', 1], op: 'eq', value: 'b' }, ['deep']],
  [{ path: ['filters', 'list', 0], op: 'eq', value: 'b' }, ['other']],
  [{ path: ['filters', 'list', 0, 'id'], op: 'eq', value: 7 }, ['deep']],
  [{ path: ['filters', 'list', 2], op: 'exists' }, []],
  // A position finds nothing in an object or a scalar, and a key nothing in an array.
  [{ path: ['region', 0], op: 'eq', value: 'EMEA' }, ['list']],
  [{ path: ['region', '0'], op: 'eq', value: 'EMEA' }, ['object']],
  [{ path: ['region', 0], op: 'exists' }, ['list']],
  [{ path: ['filters', 0], op: 'exists' }, ['list']],
  [{ path: ['filters', '0'], op: 'exists' }, ['object']],
  [{ path: ['filters', 'length'], op: 'exists' }, []],
  [{ path: ['filters.region'], op: 'exists' }, ['flat']],
]

const nulls: Documents = {
  null: { a: null, b: { c: null } },
  text: { a: 'null', b: { c: '' } },
  zero: { a: 0, b: { c: 0 } },
  empty: { a: {}, b: {} },
  none: {},
}

const missing: Expectations = [
  [{ path: ['a'], op: 'eq', value: null }, ['null']],
  [{ path: ['b', 'c'], op: 'eq', value: null }, ['null']],
  [{ path: ['a'], op: 'in', value: [null, 'x'] }, ['null']],
  [{ path: ['a'], op: 'ne', value: null }, []],
  [{ path: ['a'], op: 'exists' }, ['null', 'text', 'zero', 'empty']],
  [{ path: ['b', 'c'], op: 'exists' }, ['null', 'text', 'zero']],
  [{ path: ['a', 'x'], op: 'exists' }, []],
  [{ path: ['a'], op: 'ne', value: 'x' }, ['text']],
  [{ path: ['b', 'c'], op: 'ne', value: 1 }, ['zero']],
]

const types: Documents = {
  number: { a: 1 },
  text: { a: '1' },
  true: { a: true },
  trueText: { a: 'true' },
  false: { a: false },
  zero: { a: 0 },
  list: { a: [1] },
  object: { a: { 1: 1 } },
  null: { a: null },
}

const typed: Expectations = [
  [{ path: ['a'], op: 'eq', value: 1 }, ['number']],
  [{ path: ['a'], op: 'eq', value: '1' }, ['text']],
  [{ path: ['a'], op: 'eq', value: true }, ['true']],
  [{ path: ['a'], op: 'eq', value: 'true' }, ['trueText']],
  [{ path: ['a'], op: 'eq', value: 0 }, ['zero']],
  [{ path: ['a'], op: 'eq', value: false }, ['false']],
  [{ path: ['a'], op: 'eq', value: '[1]' }, []],
  [{ path: ['a'], op: 'ne', value: 0 }, ['number']],
  [{ path: ['a'], op: 'ne', value: '' }, ['text', 'trueText']],
  [{ path: ['a'], op: 'ne', value: true }, ['false']],
  [{ path: ['a'], op: 'gte', value: 0 }, ['number', 'zero']],
  [{ path: ['a'], op: 'gte', value: '' }, ['text', 'trueText']],
  [{ path: ['a'], op: 'lt', value: '~' }, ['text', 'trueText']],
  [{ path: ['a'], op: 'in', value: ['1', 0, true] }, ['text', 'zero', 'true']],
]

const oddKeys = [
  'a.b',
  'a"b',
  "a'b",
  'a`b',
  'a\\b',
  'a\\"b',
  '$',
  '$.a',
  '$x',
  '@',
  '*',
  '**',
  '[0]',
  '0',
  '-1',
  '-a',
  '-',
  '',
  ' ',
  'a b ',
  'é',
  'e\u0301',
  '😀',
  '日本',
  '\n',
  '\t',
  '\0',
  '\u0001',
  '\u007f',
  '\ud800',
  '\ud7ff',
  '__proto__',
  'constructor',
  '?',
  ':name',
  '$1',
  '%s',
  '{}',
  '--',
  'last',
  'null',
]

async function keysAreLiteral(ctx: Ctx): Promise<void> {
  const all = Object.fromEntries(oddKeys.map((key, i) => [key, { [key]: i }]))
  await seedStates(ctx, { all, none: {}, arrays: Object.fromEntries(oddKeys.map((key, i) => [key, [i]])) })
  for (const [i, key] of oddKeys.entries()) {
    equal(await foundBy(ctx, [{ path: [key, key], op: 'eq', value: i }]), ['all'], `the key ${JSON.stringify(key)}`)
    equal(
      await foundBy(ctx, [{ path: [key, 0], op: 'eq', value: i }]),
      ['arrays'],
      `a position below ${JSON.stringify(key)}`,
    )
    equal(
      await foundBy(ctx, [{ path: [key, `${key}x`], op: 'exists' }]),
      [],
      `a longer key than ${JSON.stringify(key)}`,
    )
    const contained = await foundBy(ctx, [{ path: [key], op: 'contains', value: i }])
    equal(contained, ['arrays'], `an array below ${JSON.stringify(key)}`)
  }
}

const values: Documents = {
  a: { n: 1, s: 'a', l: [1, 'x', null, true] },
  b: { n: 2, s: 'b', l: ['1', ['x'], { x: 1 }] },
  c: { n: 2.5, s: 'ba', l: [] },
  d: { n: -3, s: 'B', l: 'x' },
  e: { n: 1e300, s: '', l: { x: 'x' } },
  f: { n: '2', s: 2, l: null },
  g: {},
}

const operations: Expectations = [
  [{ path: ['n'], op: 'eq', value: 2 }, ['b']],
  [{ path: ['n'], op: 'ne', value: 2 }, ['a', 'c', 'd', 'e']],
  [{ path: ['n'], op: 'lt', value: 2 }, ['a', 'd']],
  [{ path: ['n'], op: 'lte', value: 2 }, ['a', 'b', 'd']],
  [{ path: ['n'], op: 'gt', value: 2 }, ['c', 'e']],
  [{ path: ['n'], op: 'gte', value: 2 }, ['b', 'c', 'e']],
  [{ path: ['n'], op: 'in', value: [1, 2, 99] }, ['a', 'b']],
  [{ path: ['n'], op: 'in', value: [1, '2'] }, ['a', 'f']],
  [{ path: ['n'], op: 'in', value: [] }, []],
  [{ path: ['n'], op: 'exists' }, ['a', 'b', 'c', 'd', 'e', 'f']],
  [{ path: ['s'], op: 'eq', value: '' }, ['e']],
  [{ path: ['s'], op: 'ne', value: 'a' }, ['b', 'c', 'd', 'e']],
  [{ path: ['s'], op: 'lt', value: 'b' }, ['a', 'd', 'e']],
  [{ path: ['s'], op: 'lte', value: 'b' }, ['a', 'b', 'd', 'e']],
  [{ path: ['s'], op: 'gt', value: 'b' }, ['c']],
  [{ path: ['s'], op: 'gte', value: 'b' }, ['b', 'c']],
  [{ path: ['l'], op: 'contains', value: 'x' }, ['a']],
  [{ path: ['l'], op: 'contains', value: 1 }, ['a']],
  [{ path: ['l'], op: 'contains', value: '1' }, ['b']],
  [{ path: ['l'], op: 'contains', value: null }, ['a']],
  [{ path: ['l'], op: 'contains', value: true }, ['a']],
  [{ path: ['l'], op: 'contains', value: false }, []],
  [{ path: ['s'], op: 'contains', value: 'a' }, []],
]

async function everyOperator(ctx: Ctx): Promise<void> {
  await find(ctx, values, operations)
  const both: StateCondition[] = [
    { path: ['n'], op: 'gte', value: 1 },
    { path: ['s'], op: 'lt', value: 'ba' },
    { path: ['l'], op: 'contains', value: 'x' },
  ]
  equal(await foundBy(ctx, both.slice(0, 2)), ['a', 'b', 'e'], 'two conditions have to be met together')
  equal(await foundBy(ctx, both), ['a'], 'three conditions')
  equal(await foundBy(ctx, []), Object.keys(values), 'no condition is met by all')
}

const filters = { capability: 'jsonPathFilter' } as const

export const JSP: Checks = [
  check(
    'JSP-01',
    'equality on top, nested and in an array; a path is followed exactly',
    (ctx) => find(ctx, nested, equality),
    filters,
  ),
  check('JSP-02', 'missing is not null', (ctx) => find(ctx, nulls, missing), filters),
  check(
    'JSP-03',
    '"1" is not 1, true is neither; another type never matches, with ne neither',
    (ctx) => find(ctx, types, typed),
    filters,
  ),
  check('JSP-04', 'keys with dots, quotes, $, Unicode, and the empty one', keysAreLiteral, {
    ...filters,
    budgetMs: 60_000,
  }),
  check('JSP-05', 'eq ne lt lte gt gte in exists contains as documented', everyOperator, filters),
  check('JSP-05', 'strings are in the order of their code points', codePointOrder, { ...filters, variant: 'order' }),
  check('JSP-06', 'path and value are bound, never spliced: the injection corpus is literal', literalFilters, {
    ...filters,
    budgetMs: 60_000,
  }),
  check('JSP-06', 'what is no condition is refused, and names where', filterArguments, {
    ...filters,
    variant: 'arguments',
  }),
  check('JSP-07', 'a condition, its opposite and the unknown add up to all', complete, {
    ...filters,
    engine: 'model',
    budgetMs: 60_000,
  }),
  check(
    'JSP-08',
    'with the tenant, in pages: the filter comes before the page, and binds the cursor',
    filterAndPage,
    filters,
  ),
  check(
    'JSP-08',
    'after update, append, fork and prune; the states of user and app are not looked at',
    filterAndTheRest,
    { ...filters, variant: 'changes' },
  ),
  check('JSP-09', '1 is 1.0; big and small numbers are compared exactly', numbersCompare, {
    ...filters,
    budgetMs: 60_000,
  }),
  check('JSP-10', 'the same answers as the reference evaluator', sameAsReference, {
    ...filters,
    engine: 'model',
    budgetMs: 120_000,
  }),
  check('JSP-11', 'an index on a path changes no answer, is made once, and can be dropped', indexedPaths, {
    capability: 'jsonPathIndex',
    alone: true,
    budgetMs: 90_000,
  }),
  check('JSP-11', 'what is no path and no type is refused', indexArguments, {
    capability: 'jsonPathIndex',
    alone: true,
    variant: 'arguments',
  }),
  check('JSP-11', 'a filter on an indexed path walks the index', plansUseIndex, {
    capability: 'jsonPathIndex',
    variant: 'plan',
    engine: 'whitebox',
    needs: ['oracle'],
    alone: true,
    budgetMs: 60_000,
  }),
]
