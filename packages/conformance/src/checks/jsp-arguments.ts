import type { ErrorCode, StateCondition } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, rejects } from '../expect.ts'
import { nothingWritten } from '../fixtures.ts'
import { foundBy, seedStates } from './jsp-look.ts'
import { injections } from './sec-literal.ts'

export async function literalFilters(ctx: Ctx): Promise<void> {
  const documents = injections.map((text, i): [string, Record<string, unknown>] => [
    `s${i}`,
    { text, list: [text], [text]: { [text]: i } },
  ])
  await seedStates(ctx, { ...Object.fromEntries(documents), none: { text: 'none', list: [] } })
  const look = async () => {
    for (const [i, text] of injections.entries()) {
      const found: readonly StateCondition[] = [
        { path: ['text'], op: 'eq', value: text },
        { path: ['text'], op: 'in', value: [text] },
        { path: ['list'], op: 'contains', value: text },
        { path: ['list', 0], op: 'eq', value: text },
        { path: [text], op: 'exists' },
        { path: [text, text], op: 'eq', value: i },
      ]
      for (const condition of found) equal(await foundBy(ctx, [condition]), [`s${i}`], `${condition.op} of ${text}`)
      const nothing: readonly StateCondition[] = [
        { path: ['text'], op: 'eq', value: `${text}x` },
        { path: [`${text}x`], op: 'exists' },
        { path: ['text', text], op: 'exists' },
        { path: ['list'], op: 'contains', value: `x${text}` },
      ]
      for (const condition of nothing) equal(await foundBy(ctx, [condition]), [], `${condition.op} that is not ${text}`)
      const others = injections.length // all texts but this one, and `none`
      equal((await foundBy(ctx, [{ path: ['text'], op: 'ne', value: text }])).length, others, `ne of ${text}`)
    }
  }
  await nothingWritten(ctx, look, 'the injection corpus in filters')
}

const path = ['a']
const deep = (ctx: Ctx) => Array.from({ length: ctx.limits.stateDepth + 1 }, () => 'a')

/** What is tried, what it is refused as, and the field that the refusal names. */
const refusals: readonly (readonly [string, (ctx: Ctx) => unknown, ErrorCode, string])[] = [
  ['where that is no list', () => ({ path, op: 'exists' }), 'invalid_argument', 'where'],
  ['a condition that is no object', () => ['a'], 'invalid_argument', 'where[0]'],
  ['an unknown member', () => [{ path, op: 'exists', or: 1 }], 'invalid_argument', 'where[0].or'],
  ['no path', () => [{ op: 'exists' }], 'invalid_argument', 'where[0].path'],
  ['an empty path', () => [{ path: [], op: 'exists' }], 'invalid_argument', 'where[0].path'],
  ['a path in one string', () => [{ path: 'a.b', op: 'exists' }], 'invalid_argument', 'where[0].path'],
  ['a negative position', () => [{ path: ['a', -1], op: 'exists' }], 'invalid_argument', 'where[0].path[1]'],
  ['a fractional position', () => [{ path: [0.5], op: 'exists' }], 'invalid_argument', 'where[0].path[0]'],
  ['a path deeper than state', (ctx) => [{ path: deep(ctx), op: 'exists' }], 'limit_exceeded', 'where[0].path'],
  ['an unknown operator', () => [{ path, op: 'like', value: 'a' }], 'invalid_argument', 'where[0].op'],
  ['no value', () => [{ path, op: 'eq' }], 'invalid_argument', 'where[0].value'],
  ['an object', () => [{ path, op: 'eq', value: { $ne: null } }], 'invalid_argument', 'where[0].value'],
  ['NaN', () => [{ path, op: 'eq', value: Number.NaN }], 'invalid_argument', 'where[0].value'],
  ['the order of true', () => [{ path, op: 'lt', value: true }], 'invalid_argument', 'where[0].value'],
  ['exists with a value', () => [{ path, op: 'exists', value: false }], 'invalid_argument', 'where[0].value'],
  ['in without a list', () => [{ path, op: 'in', value: 1 }], 'invalid_argument', 'where[0].value'],
  ['a list in a list', () => [{ path, op: 'in', value: [1, []] }], 'invalid_argument', 'where[0].value[1]'],
  ['too many conditions', () => Array.from({ length: 21 }, () => ({ path, op: 'exists' })), 'limit_exceeded', 'where'],
  [
    'too many values',
    () => [0, 1].map(() => ({ path, op: 'in', value: Array.from({ length: 501 }, (_, i) => i) })),
    'limit_exceeded',
    'where',
  ],
]

export async function filterArguments(ctx: Ctx): Promise<void> {
  await seedStates(ctx, { s1: { a: 1 } })
  for (const [what, given, code, field] of refusals) {
    const where = given(ctx) as StateCondition[] // what the types forbid is what is tried
    const query = { appName: ctx.app, where }
    await rejects(() => ctx.store.sessions.list(query), code, `list with ${what}`, { field })
    await rejects(() => ctx.store.sessions.count(query), code, `count with ${what}`, { field })
  }
  const most = { path, op: 'in', value: Array.from({ length: 1000 }, (_, i) => i) } as const
  equal(await foundBy(ctx, [most]), ['s1'], 'as many values as there may be')
  const deepest = Array.from({ length: ctx.limits.stateDepth }, () => 'a')
  equal(await foundBy(ctx, [{ path: deepest, op: 'exists' }]), [], 'as deep a path as there may be')
}
