import { conformance } from '@daybook/conformance/vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { driverNames, missingDrivers } from './drivers.ts'
import { subjects } from './subjects.ts'

/** What has to be there in this run, by name: missing is a failure then, and otherwise a skip that says why. */
const required = new Set((process.env['DAYBOOK_REQUIRE'] ?? '').split(',').map((name) => name.trim()))

for (const name of driverNames.filter((one) => missingDrivers[one] === undefined)) {
  conformance(subjects[name], { describe, it, beforeAll, afterAll })
}

for (const [name, reason] of Object.entries(missingDrivers)) {
  it(`${name} keeps the contract`, ({ skip }) => {
    expect(required.has(name) ? reason : 'not required').toBe('not required')
    skip(reason)
  })
}
