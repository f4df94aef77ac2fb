import { expect, test } from 'vitest'
import * as core from '@daybook/core'
import { examplesIn, examplesOf, printedBy } from '../../../tools/examples.ts'

const examples = examplesIn(`${import.meta.dirname}/..`)

test.each(examples)('the example at $name prints what it says', async (example) => {
  expect(await printedBy(example)).toEqual(example.promised)
})

test('what users call is shown in an example', () => {
  const forUsers = [
    'createInMemoryStore',
    'createInMemoryDatabase',
    'StoreError',
    'isStoreError',
    'uuidv7',
    'checkLimit',
  ]
  expect(Object.keys(core)).toEqual(expect.arrayContaining(forUsers))
  const shown = new Set(examples.flatMap(({ code }) => code.match(/\b\w+\b/g) ?? []))
  expect(forUsers.filter((name) => !shown.has(name))).toEqual([])
})

test('an example that prints something else, more, or less than it says is told', async () => {
  const [wrong, ...more] = examplesOf(import.meta.dirname, 'wrong-example.md')
  expect(more).toEqual([])
  if (wrong === undefined) throw new Error('the wrong example is not found')
  expect(wrong.promised).toEqual({ 1: '3', 2: '1, 2', 3: 'no comment at its end', 4: 'x', 5: 'not reached' })
  expect(await printedBy(wrong)).toEqual({ 1: '2', 2: '1, 2', 3: 'nobody says what this prints', 4: 'x' })
})
