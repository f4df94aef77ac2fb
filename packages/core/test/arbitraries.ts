import * as fc from 'fast-check'

/** UTF-16 units that are special somewhere: NUL, marks of ours, surrogates, ends of ranges. */
const specialUnits = [
  0, 1, 2, 3, 0x22, 0x5c, 0x7f, 0x80, 0x7ff, 0x800, 0xd7fe, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xe7ff,
  0xe800, 0xfeff, 0xffff,
]

/** Any string of JavaScript, lone surrogates included. */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.constantFrom(...specialUnits), fc.integer({ min: 0, max: 0xffff })), { maxLength: 12 })
  .map((units) => String.fromCharCode(...units))

export const anyKey: fc.Arbitrary<string> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('a', 'b', 'user:a', 'app:a', '') },
  fc.constantFrom('__proto__', 'constructor', '1', 'temp:a'),
  anyText,
)

const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.constantFrom(0, -0, 5e-324, 1e21, 2 ** 53, -1),
)

const record = <T>(value: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(anyKey, value), { maxLength: 5 }).map((entries) => Object.fromEntries(entries))

/** A value as JSON.parse answers it. */
export const anyJson: fc.Arbitrary<unknown> = fc
  .letrec((tie) => ({
    value: fc.oneof({ maxDepth: 4 }, anyText, anyNumber, fc.boolean(), fc.constant(null), tie('list'), tie('record')),
    list: fc.array(tie('value'), { maxLength: 4 }),
    record: record(tie('value')),
  }))
  .value.map((value): unknown => JSON.parse(JSON.stringify(value)))

export const anyJsonObject: fc.Arbitrary<Record<string, unknown>> = record(anyJson).map(
  (value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>,
) // a record stays one

class Money {
  readonly #amount: unknown
  constructor(amount: unknown) {
    this.#amount = amount
  }
  toJSON(key: string): unknown {
    return [key, this.#amount]
  }
}

/** A value that JSON.stringify takes, and writes as something else than it is. */
export const anyStringifiable: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    anyText,
    anyNumber,
    fc.constantFrom(true, null, undefined),
    fc.date({ noInvalidDate: false }),
    fc.constantFrom(new Number(-0), new String('s'), new Boolean(false), Object.create(null), new Date(Number.NaN)),
    fc.constant(Buffer.from([1, 2])),
    tie('value').map((value) => new Money(value)),
    tie('list'),
    tie('record'),
  ),
  list: fc
    .tuple(fc.array(tie('value'), { maxLength: 4 }), fc.boolean())
    .map(([list, hasHole]) => (hasHole ? Object.assign([...list], { length: list.length + 2 }) : list)),
  record: record(tie('value')),
})).value
