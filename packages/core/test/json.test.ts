import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fromStorableJson,
  fromStorableText,
  isStoreError,
  jsonEquals,
  toJson,
  toStorableJson,
  toStorableText,
  type JsonBounds,
  type JsonValue,
} from '@daybook/core'
import { measuredJsonObject } from '../src/json.ts'
import { anyJson, anyJsonObject, anyStringifiable, anyText } from './arbitraries.ts'

const bounds: JsonBounds = { depth: 30, name: 'eventDepth' }

function refusal(value: unknown, limits: JsonBounds = bounds): unknown {
  try {
    return toJson(value, 'event', limits)
  } catch (error) {
    return isStoreError(error) ? `${error.code} ${error.facts.field}` : error
  }
}

const nested = (levels: number, inner: unknown = 1): unknown =>
  Array.from({ length: levels }).reduce((value, _, i) => (i % 2 === 0 ? [value] : { a: value }), inner)

describe('what goes in', () => {
  test('is copied exactly as JSON.stringify would write it', () => {
    fc.assert(
      fc.property(anyStringifiable, (value) => {
        const text = JSON.stringify(value) as string | undefined // of undefined it is none
        const copy = text === undefined ? refusal(value) : JSON.stringify(toJson(value, 'event', bounds))
        expect(copy).toBe(text ?? 'invalid_argument event')
      }),
      { numRuns: 1000 },
    )
  })

  test('is measured to have no fewer bytes than its text has', () => {
    const long = {
      '': Array.from({ length: 99 }, () => -1.2345678901234567e-308),
      ['\0'.repeat(99)]: '\ud800'.repeat(99),
    }
    expect(measuredJsonObject(long, 'event', bounds).mostBytes).toBeGreaterThan(JSON.stringify(long).length)
    fc.assert(
      fc.property(anyJsonObject, (value) => {
        const { document, mostBytes } = measuredJsonObject(value, 'event', bounds)
        expect(mostBytes).toBeGreaterThanOrEqual(Buffer.byteLength(JSON.stringify(document)))
      }),
      { numRuns: 1000 },
    )
  })

  test('keeps nothing of the argument, and -0 becomes 0', () => {
    const value = { list: [{ deep: -0 }] }
    const copy = toJson(value, 'event', bounds)
    value.list[0] = { deep: 5 }
    expect(copy).toStrictEqual({ list: [{ deep: 0 }] })
  })

  test('__proto__ and constructor are plain keys and pollute nothing', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}')
    const copy = toJson(value, 'event', bounds)
    expect(JSON.stringify(copy)).toBe(JSON.stringify(value))
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype)
    expect('polluted' in {}).toBe(false)
  })
})

describe('what JSON cannot hold is refused by its path', () => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = [cycle]
  const thrower = {
    get bad(): unknown {
      throw new Error('secret')
    },
  }
  const revoked = Proxy.revocable({}, {})
  revoked.revoke()
  const cases: readonly (readonly [string, unknown, string])[] = [
    ['a function', { a: [() => 1] }, 'event.a[0]'],
    ['a symbol', { a: Symbol('s') }, 'event.a'],
    ['a BigInt', { a: 1n }, 'event.a'],
    ['a boxed BigInt', { a: Object(1n) }, 'event.a'],
    ['NaN', [Number.NaN], 'event[0]'],
    ['Infinity', { a: { b: Infinity } }, 'event.a.b'],
    ['-Infinity', -Infinity, 'event'],
    ['a boxed NaN', { a: new Number(Number.NaN) }, 'event.a'],
    ['a cycle', cycle, 'event.self[0]'],
    ['a Map', { a: new Map() }, 'event.a'],
    ['a Set', { a: new Set() }, 'event.a'],
    ['a promise', { a: Promise.resolve() }, 'event.a'],
    ['a getter that throws', { a: thrower }, 'event.a.bad'],
    ['a revoked proxy', { a: revoked.proxy }, 'event.a'],
    [
      'a toJSON that throws',
      {
        a: {
          toJSON() {
            throw new Error('secret')
          },
        },
      },
      'event.a',
    ],
    ['a toJSON that answers a function', { a: { toJSON: () => () => 1 } }, 'event.a'],
    ['undefined', undefined, 'event'],
  ]
  test.each(cases)('%s', (_, value, path) => {
    expect(refusal(value)).toBe(`invalid_argument ${path}`)
  })

  test('the same object twice is no cycle', () => {
    const twice = { x: 1 }
    expect(toJson([twice, twice], 'event', bounds)).toEqual([{ x: 1 }, { x: 1 }])
  })
})

describe('limits', () => {
  test('a value as deep as allowed is taken, one level more is over the limit', () => {
    for (const depth of [1, 2, 30, 500]) {
      const deep = { depth, name: 'eventDepth' }
      expect(refusal(nested(depth), deep)).toEqual(nested(depth))
      expect(refusal(nested(depth, []), deep)).toMatch(/^limit_exceeded event/)
    }
  })

  test('copying ends when a value is far over its bytes, however it hides that', () => {
    let many: unknown = 'x'
    for (let i = 0; i < 28; i++) many = [many, many]
    const bytes = { ...bounds, bytes: 1000 }
    for (const value of [
      many,
      Object.assign([], { length: 2 ** 32 - 1 }),
      { ['k'.repeat(3000)]: 1 },
      Array(9).fill('x'.repeat(999)),
    ]) {
      expect(refusal(value, bytes)).toBe('limit_exceeded event')
    }
    expect(toJson('x'.repeat(998), 'event', bytes)).toHaveLength(998)
  })
})

const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([key, member]) => [key, shuffled(member)]),
  )
}

/** One text for equal values, another for others. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
  return `{${members.toSorted().join()}}`
}

describe('equality', () => {
  test('is that of the values, whatever the order of keys', () => {
    fc.assert(
      fc.property(anyJson, anyJson, (a, b) => {
        expect(jsonEquals(a as JsonValue, shuffled(a) as JsonValue)).toBe(true) // parsed from JSON
        expect(jsonEquals(a as JsonValue, b as JsonValue)).toBe(canonical(a) === canonical(b)) // parsed from JSON
      }),
      { numRuns: 1000 },
    )
  })

  test('tells apart what only looks alike', () => {
    const values: JsonValue[] = [
      null,
      0,
      '0',
      '',
      false,
      true,
      1,
      '1',
      [],
      {},
      [null],
      [[]],
      { a: null },
      { a: {} },
      { '0': null },
    ]
    for (const [i, a] of values.entries()) for (const [j, b] of values.entries()) expect(jsonEquals(a, b)).toBe(i === j)
  })
})

const inCodePoints = (a: string, b: string): number => {
  const [x, y] = [[...a], [...b]].map((text) => text.map((char) => char.codePointAt(0) ?? 0))
  for (let i = 0; i < Math.max(x?.length ?? 0, y?.length ?? 0); i++) {
    const difference = (x?.[i] ?? -1) - (y?.[i] ?? -1)
    if (difference !== 0) return Math.sign(difference)
  }
  return 0
}
const bytesOf = (text: string) => Buffer.from(toStorableText(text))

describe('storable text', () => {
  test('every string survives, and no database has to hold a NUL or a lone surrogate', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const stored = toStorableText(text)
        expect(fromStorableText(stored)).toBe(text)
        expect(Buffer.from(stored).toString()).toBe(stored)
        expect(stored).not.toContain('\0')
      }),
      { numRuns: 3000 },
    )
    const units = Array.from({ length: 0x10000 }, (_, unit) => String.fromCharCode(unit))
    expect(units.filter((text) => fromStorableText(toStorableText(text)) !== text)).toEqual([])
  })

  test('strings keep the order of their code points as bytes', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (start, a, b) => {
        expect(Buffer.compare(bytesOf(start + a), bytesOf(start + b))).toBe(inCodePoints(start + a, start + b))
      }),
      { numRuns: 3000 },
    )
  })

  test('every JSON value survives, also written with other escapes, and most text is stored as it is', () => {
    fc.assert(
      fc.property(anyJson, (value) => {
        const text = toStorableJson(value as JsonValue) // parsed from JSON
        expect(text).not.toMatch(/\\u0000|\\ud[89a-f]/i)
        expect(JSON.stringify(fromStorableJson(text))).toBe(JSON.stringify(value))
        const escaped = text.replaceAll(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
        expect(JSON.stringify(fromStorableJson(escaped))).toBe(JSON.stringify(value))
      }),
      { numRuns: 1000 },
    )
    expect(toStorableJson({ a: 'é😀\n' })).toBe('{"a":"é😀\\n"}')
  })
})
