import type { StoreUnderTest } from '@daybook/conformance'
import { conformance } from '@daybook/conformance/vitest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { pathToFileURL } from 'node:url'
import { writeCertificate } from '../../packages/conformance/src/certificate-files.ts'
import { claims } from './claims.ts'
import { isRequired, type BackendName } from './required.ts'

/** Runs the suite over a backend, at the level that it claims, and writes its certificate into the folder that DAYBOOK_CERTIFICATES names; or says why it cannot; where the backend is required, that is a failure. */
export function certifies(
  backend: BackendName,
  subject: StoreUnderTest,
  missing?: string,
  prove: boolean = process.env['DAYBOOK_PROVE'] === '1',
): void {
  if (missing !== undefined) return reports(backend, missing)
  const folder = process.env['DAYBOOK_CERTIFICATES']
  conformance(
    subject,
    { describe, it, beforeAll, afterAll },
    {
      prove,
      level: claims[backend],
      ...(folder !== undefined && {
        certified: (certificate) => writeCertificate(certificate, pathToFileURL(`${folder}/`), backend),
      }),
    },
  )
}

/** The same for a backend whose engine and driver another one has: its races are run when it is required. */
export function certifiesCore(backend: BackendName, subject: StoreUnderTest, missing?: string): void {
  if (missing !== undefined) return reports(backend, missing)
  const level = isRequired(backend) ? 'concurrent' : 'core'
  conformance(subject, { describe, it, beforeAll, afterAll }, { level })
}

function reports(backend: BackendName, missing: string): void {
  it(`${backend} keeps the contract`, ({ skip }) => {
    expect(isRequired(backend) ? missing : 'not required').toBe('not required')
    skip(missing)
  })
}
