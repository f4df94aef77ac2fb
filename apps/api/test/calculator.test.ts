import { describe, expect, test } from 'vitest'
import { calculate } from '../src/assistant/calculator.ts'
import { readClock } from '../src/assistant/clock.ts'

describe('the calculator', () => {
  test.each([
    ['2 + 2 * 10', 22],
    ['(2 + 2) * 10', 40],
    ['0.1 + 0.2', 0.3],
    ['2^3^2', 512],
    ['-2^2', -4],
    ['2^-1', 0.5],
    ['10 - 4 - 3', 3],
    ['100 / 10 / 5', 2],
    ['7 % 4', 3],
    ['--3', 3],
    ['.5 + 1.', 1.5],
    ['1e3 + 1', 1001],
    ['sqrt(16) + abs(-2)', 6],
    ['2 × 3 ÷ 4 − 1', 0.5],
    ['round(2 * pi)', 6],
    ['2 ** 10', 1024],
  ])('%s = %d', (expression, value) => {
    expect(calculate(expression)).toBe(value)
  })

  test.each([
    ['', 'The expression ends too early'],
    ['2 +', 'The expression ends too early'],
    ['2 + * 3', 'Unexpected "*" at position 5'],
    ['(1 + 2', 'The "(" at position 1 is not closed'],
    ['1 + 2)', 'Unexpected ")" at position 6'],
    ['1 / (2 - 2)', 'Division by zero at position 3'],
    ['5 % 0', 'Division by zero at position 3'],
    ['2 $ 3', 'Unexpected "$" at position 3'],
    ['2 3', 'Unexpected "3" at position 3'],
    ['foo(1)', 'Unknown name "foo" at position 1'],
    ['constructor(1)', 'Unknown name "constructor" at position 1'],
    ['sqrt 4', '"sqrt" at position 1 needs parentheses'],
    ['sqrt(0 - 1)', 'The result is not a real number'],
    ['10^1000', 'The result is too large'],
    ['('.repeat(400), 'The expression is nested deeper than 50 levels'],
    ['-'.repeat(400) + '1', 'The expression is nested deeper than 50 levels'],
    ['1+'.repeat(300) + '1', 'The expression is longer than 500 characters'],
  ])('%s: %s', (expression, message) => {
    expect(() => calculate(expression)).toThrow(message)
  })
})

describe('the clock', () => {
  const now = new Date('2026-01-15T23:30:00Z')

  test.each([
    ['Asia/Tokyo', 'Asia/Tokyo', '08:30', 'Friday, 16 January 2026'],
    ['tokyo', 'Asia/Tokyo', '08:30', 'Friday, 16 January 2026'],
    ['New York', 'America/New_York', '18:30', 'Thursday, 15 January 2026'],
    ['utc', 'UTC', '23:30', 'Thursday, 15 January 2026'],
  ])('in %s', (place, zone, time, date) => {
    const reading = readClock(place, now)
    expect(reading).toMatchObject({ zone, time, iso: '2026-01-15T23:30:00.000Z' })
    expect(reading?.date.replace(/^(\w+) /, '$1, ')).toBe(date)
  })

  test('knows no zone that is none', () => {
    expect(readClock('Atlantis')).toBeUndefined()
  })

  test('without a place tells the zone of the server', () => {
    expect(readClock(undefined)?.zone).toBe(Intl.DateTimeFormat().resolvedOptions().timeZone)
  })
})
