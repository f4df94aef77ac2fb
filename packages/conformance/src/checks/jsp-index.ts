import type { IndexedType, StateCondition, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, rejects } from '../expect.ts'
import { meets } from '../filter-model.ts'
import { keyOf, newSession, nothingWritten, numbers, sessionIdsOf, walkSessions } from '../fixtures.ts'
import { observed, oracleMember, withoutControl } from '../whitebox.ts'
import { shown } from './jsp-look.ts'

const long = '日'.repeat(300)

const values: readonly unknown[] = [
  'EMEA',
  'emea',
  '',
  'EMEA ',
  long,
  `${long}a`,
  `${long}b`,
  'x'.repeat(20_000),
  '1',
  1,
  1.5,
  -1e300,
  5e-324,
  2 ** 53,
  0,
  true,
  false,
  null,
  [],
  ['EMEA'],
  {},
  { EMEA: 1 },
]

const indexed: readonly (readonly [StateCondition['path'], IndexedType])[] = [
  [['v'], 'string'],
  [['v'], 'number'],
  [['v'], 'boolean'],
  [['deep', 'v'], 'string'],
  [['list', 0], 'string'],
  [["it's", 'a'], 'string'],
]

const bounds = ['EMEA', '', long, `${long}a`, `${long}aa`, 'x'.repeat(20_000), '1', 1, 0, 2 ** 53, 5e-324] as const

const conditions: readonly StateCondition[] = [['v'], ['deep', 'v'], ['list', 0], ["it's", 'a']].flatMap((path) => [
  ...bounds.flatMap((value): StateCondition[] => [
    ...(['eq', 'ne', 'lt', 'lte', 'gt', 'gte'] as const).map((op) => ({ path, op, value })),
    { path, op: 'in', value: [value, true, 'emea', 1.5] },
  ]),
  { path, op: 'eq', value: true },
  { path, op: 'ne', value: true },
  { path, op: 'eq', value: null },
  { path, op: 'exists' },
  { path, op: 'contains', value: 'EMEA' },
])

type Documents = ReadonlyMap<string, Record<string, unknown>>

/** All of them; in a quick run every fourth, from another one on each time. */
function someConditions(ctx: Ctx): readonly StateCondition[] {
  if (ctx.budget.name === 'cert') return conditions
  const first = Math.floor(ctx.random() * 4)
  return conditions.filter((_, i) => i % 4 === first)
}

async function sameAnswers(ctx: Ctx, store: Store, documents: Documents, when: string): Promise<void> {
  for (const condition of someConditions(ctx)) {
    const where = [condition]
    const found = sessionIdsOf(await walkSessions(store, { appName: ctx.app, where })).toSorted()
    const expected = [...documents].filter(([, state]) => meets(state, where)).map(([id]) => id)
    equal(found, expected.toSorted(), `${shown(where)} ${when}`)
  }
}

export async function indexedPaths(ctx: Ctx): Promise<void> {
  const { store, other } = ctx
  const documents = new Map<string, Record<string, unknown>>()
  const write = async (i: number, v: unknown) => {
    const state = { v, deep: { v }, list: [v], "it's": { a: v } }
    documents.set(`s${100 + i}`, state)
    await newSession(ctx, `s${100 + i}`, state)
  }
  for (const [i, v] of values.entries()) await write(i, v)
  const preview = () => store.indexStatePath(['v'], 'string', { dryRun: true })
  await nothingWritten(ctx, preview, 'a dry run')
  holds(((await preview()).sql ?? []).length > 0, 'a dry run answers the SQL')
  for (const [path, type] of indexed) {
    const reports = await Promise.all([store.indexStatePath(path, type), other.indexStatePath(path, type)])
    equal(reports.flatMap(({ applied }) => applied).length, 1, 'of two that make an index at once one makes it')
    equal((await other.indexStatePath(path, type)).applied, [], 'an index that is there is not made again')
  }
  await sameAnswers(ctx, store, documents, 'with indexes')
  for (const [i, v] of values.entries()) await write(i + values.length, v)
  await store.sessions.update(keyOf(ctx, 's100'), { replace: { v: `${long}a` } })
  documents.set('s100', { v: `${long}a` })
  await sameAnswers(ctx, other, documents, 'written and changed under indexes')
  equal((await store.migrate()).applied, [], 'migrate() beside indexes')
  equal((await store.health()).ok, true, 'health beside indexes')
  const reopened = await ctx.open()
  equal(await reopened.sessions.count({ appName: ctx.app }), documents.size, 'a store that opens beside indexes')
  for (const [path, type] of indexed) {
    equal(await other.dropStatePathIndex(path, type), true, 'an index that is there is dropped')
    equal(await store.dropStatePathIndex(path, type), false, 'and is not there any more')
  }
  await sameAnswers(ctx, store, documents, 'after the indexes are dropped')
}

export async function indexArguments(ctx: Ctx): Promise<void> {
  const index = (path: unknown, type: unknown) => ctx.store.indexStatePath(path as string[], type as IndexedType) // what the types forbid is what is tried
  const refused = async () => {
    await rejects(() => index([], 'string'), 'invalid_argument', 'an empty path', { field: 'path' })
    await rejects(() => index('a', 'string'), 'invalid_argument', 'a path that is no list', { field: 'path' })
    await rejects(() => index(['a', -1], 'string'), 'invalid_argument', 'a negative position', { field: 'path[1]' })
    await rejects(() => index(['a'], 'date'), 'invalid_argument', 'an unknown type', { field: 'type' })
    await rejects(() => index(['k'.repeat(200)], 'string'), 'limit_exceeded', 'a long path', { field: 'path' })
  }
  await nothingWritten(ctx, refused, 'indexes that are refused')
}

export async function plansUseIndex(ctx: Ctx): Promise<void> {
  const planOf = oracleMember(ctx, 'plan')
  for (const i of numbers(300)) await newSession(ctx, `s${i}`, { region: `r${i % 100}`, n: i, on: i % 50 === 0 })
  const { store, during } = await observed(ctx)
  const filters: readonly (readonly [IndexedType, StateCondition])[] = [
    ['string', { path: ['region'], op: 'eq', value: 'r7' }],
    ['string', { path: ['region'], op: 'in', value: ['r7', 'r8'] }],
    ['number', { path: ['n'], op: 'eq', value: 7 }],
    ['number', { path: ['n'], op: 'gte', value: 299 }],
    ['boolean', { path: ['on'], op: 'eq', value: true }],
  ]
  const indexesOf = async (condition: StateCondition): Promise<readonly string[]> => {
    const count = () => store.sessions.count({ appName: ctx.app, where: [condition] })
    const sent = withoutControl(await during(count))
    const plans = []
    for (const statement of sent) plans.push(await planOf(statement))
    return plans.flatMap(({ indexes }) => indexes)
  }
  for (const [type, condition] of filters) {
    const before = await indexesOf(condition)
    await ctx.store.indexStatePath(condition.path, type)
    const indexes = await indexesOf(condition)
    await ctx.store.dropStatePathIndex(condition.path, type)
    const made = indexes.filter((name) => !before.includes(name) && name.includes('_p_'))
    holds(made.length > 0, `${shown([condition])} walks the index on its path`, { before, with: indexes })
    const after = await indexesOf(condition)
    holds(!after.some((name) => made.includes(name)), `${shown([condition])} names no index that was dropped`, after)
  }
}
