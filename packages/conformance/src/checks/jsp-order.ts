import type { Ctx } from '../context.ts'
import { equal } from '../expect.ts'
import { keyOf } from '../fixtures.ts'
import { foundBy, seedStates } from './jsp-look.ts'

const name = (i: number) => `s${String(i).padStart(2, '0')}`

/** In ascending order of code points; UTF-16 units, a locale and a blank-padding collation each have another one. */
const ascending = [
  '',
  '\0',
  '\0a',
  '\u0001',
  ' ',
  '10',
  '9',
  'A',
  'Z',
  '_',
  'a',
  'a\0',
  'a ',
  'aa',
  'b',
  'z',
  'ß',
  'ä',
  'é',
  '\ud7fe',
  '\ud7ff',
  '\ud800',
  '\udfff',
  '\ue000',
  '\uffee',
  '\u{1f600}',
  '\u{1f601}',
]

export async function codePointOrder(ctx: Ctx): Promise<void> {
  await seedStates(ctx, Object.fromEntries(ascending.map((text, i) => [name(i), { text }])))
  const names = ascending.map((_, i) => name(i))
  for (const [i, value] of ascending.entries()) {
    const path = ['text']
    const what = JSON.stringify(value)
    equal(await foundBy(ctx, [{ path, op: 'eq', value }]), [name(i)], `equal to ${what}`)
    equal(await foundBy(ctx, [{ path, op: 'lt', value }]), names.slice(0, i), `before ${what}`)
    equal(await foundBy(ctx, [{ path, op: 'gte', value }]), names.slice(i), `${what} and after`)
  }
}

const numbers = [
  -1.7976931348623157e308,
  -1e21,
  -(2 ** 53),
  -1,
  -0.1,
  0,
  5e-324,
  0.1,
  0.30000000000000004,
  1,
  1.0000000000000002,
  1.5,
  2 ** 31,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 + 2,
  1_152_921_504_606_846_976,
  2 ** 63,
  2 ** 64,
  1e21,
  1e300,
  1.7976931348623157e308,
]

export async function numbersCompare(ctx: Ctx): Promise<void> {
  await seedStates(ctx, Object.fromEntries(numbers.map((n, i) => [name(i), { n, list: [n] }])))
  const names = numbers.map((_, i) => name(i))
  for (const [i, value] of numbers.entries()) {
    const path = ['n']
    equal(await foundBy(ctx, [{ path, op: 'eq', value }]), [name(i)], `equal to ${value}`)
    equal(await foundBy(ctx, [{ path, op: 'ne', value }]), names.toSpliced(i, 1), `not ${value}`)
    equal(await foundBy(ctx, [{ path, op: 'lt', value }]), names.slice(0, i), `below ${value}`)
    equal(await foundBy(ctx, [{ path, op: 'gte', value }]), names.slice(i), `${value} and above`)
    equal(await foundBy(ctx, [{ path: ['list'], op: 'contains', value }]), [name(i)], `a list with ${value}`)
  }
  await ctx.store.sessions.update(keyOf(ctx, name(0)), { set: { one: Number('1.0'), big: Number('9007199254740993') } })
  equal(await foundBy(ctx, [{ path: ['one'], op: 'eq', value: 1 }]), [name(0)], '1 is 1.0')
  equal(await foundBy(ctx, [{ path: ['big'], op: 'eq', value: 2 ** 53 }]), [name(0)], 'the double that it is')
}
