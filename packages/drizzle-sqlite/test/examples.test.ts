import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { examplesIn, printedBy } from '../../../tools/examples.ts'
import { betterSqliteProblem } from './drivers.ts'

const before = process.cwd()
const folder = mkdtempSync(join(tmpdir(), 'daybook-examples-'))

// The examples name files without a folder.
beforeAll(() => process.chdir(folder))
afterAll(() => {
  process.chdir(before)
  rmSync(folder, { recursive: true, force: true })
})

test.for(examplesIn(`${import.meta.dirname}/..`))(
  'the example at $name prints what it says',
  async (example, { skip }) => {
    skip(betterSqliteProblem !== undefined && example.code.includes("'better-sqlite3'"), betterSqliteProblem)
    expect(await printedBy(example)).toEqual(example.promised)
  },
)
