import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromMoneyUnits, moneyUnits } from '@daybook/core'

const most = 9_000_000n * 10n ** 12n

test('every amount survives, as the shortest text', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: most }), (units) => {
      const text = fromMoneyUnits(units)
      expect(moneyUnits(text)).toBe(units)
      expect(text).toMatch(/^(?:0|[1-9]\d*)(?:\.\d*[1-9])?$/)
      expect(fromMoneyUnits(String(units))).toBe(text)
    }),
    { numRuns: 2000 },
  )
  expect(fromMoneyUnits(moneyUnits('1.500') ?? 0n)).toBe('1.5')
})

test.for([
  '',
  '1.',
  '.5',
  '01',
  '-1',
  '+1',
  '1e3',
  ' 1',
  '1,5',
  '0.1234567890123',
  '9000000.000000000001',
  '90000000',
  'NaN',
  1,
  1n,
  null,
  undefined,
])('%s is no amount', (text) => {
  expect(moneyUnits(text)).toBe(undefined)
})
