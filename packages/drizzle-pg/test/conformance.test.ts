import { conformance } from '@daybook/conformance/vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { whyNoServer } from './server.ts'
import { subjects } from './subjects.ts'

const missing = await whyNoServer()
const isRequired = process.env['DAYBOOK_REQUIRE']?.split(',').includes('pg') === true

if (missing === undefined) conformance(subjects.pg, { describe, it, beforeAll, afterAll })
else {
  it(`PostgreSQL keeps the contract (not run: ${missing})`, ({ skip }) => {
    if (!isRequired) skip(missing)
    expect(missing, 'DAYBOOK_REQUIRE names pg').toBeUndefined()
  })
}
