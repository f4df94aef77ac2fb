import { conformance } from '@daybook/conformance/vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { driverNames, missingDrivers } from './drivers.ts'
import { serverProblem } from './sqld.ts'
import { subjects } from './subjects.ts'

/** What has to be there in this run, by name: missing is a failure then, and otherwise a skip that says why. */
const required = new Set((process.env['DAYBOOK_REQUIRE'] ?? '').split(',').map((name) => name.trim()))

const untimely = required.has('libsql-server')
  ? undefined
  : 'takes two minutes over a server; DAYBOOK_REQUIRE=libsql-server runs it'
const skipped: Readonly<Partial<Record<keyof typeof subjects, string | undefined>>> = {
  ...missingDrivers,
  'libsql-server': serverProblem ?? untimely,
}

for (const name of [...driverNames, 'libsql-server' as const].filter((one) => skipped[one] === undefined)) {
  conformance(subjects[name], { describe, it, beforeAll, afterAll }, { prove: process.env['DAYBOOK_PROVE'] === '1' })
}

for (const [name, reason] of Object.entries(skipped)) {
  if (reason === undefined) continue
  it(`${name} keeps the contract`, ({ skip }) => {
    expect(required.has(name) ? reason : 'not required').toBe('not required')
    skip(reason)
  })
}
