import { conformance } from '@daybook/conformance/vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isRequired, missingServer } from './server.ts'
import { subjects } from './subjects.ts'

const missing = missingServer === undefined ? [] : [missingServer]

for (const subject of missing.length > 0 ? [] : [subjects.mariadb])
  conformance(subject, { describe, it, beforeAll, afterAll }, { prove: process.env['DAYBOOK_PROVE'] === '1' })

for (const reason of missing) {
  it('MariaDB keeps the contract', ({ skip }) => {
    expect({ isRequired, reason }).toMatchObject({ isRequired: false })
    skip(reason)
  })
}
