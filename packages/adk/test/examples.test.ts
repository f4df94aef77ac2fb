import { expect, test } from 'vitest'
import { examplesIn, printedBy } from '../../../tools/examples.ts'

test.for(examplesIn(`${import.meta.dirname}/..`))('the example at $name prints what it says', async (example) => {
  expect(await printedBy(example)).toEqual(example.promised)
})
