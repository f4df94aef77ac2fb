// pnpm conformance --backend NAME | --matrix: certifies backends of this repository and writes the certificates to conformance/;
// --from FOLDER takes those that a run of the tests has written (DAYBOOK_CERTIFICATES).
import { parseArgs } from 'node:util'
import { exitCode } from '../src/certificate.ts'
import { summary, writeCertificate } from '../src/certificate-files.ts'
import { claims } from '../../../tools/servers/claims.ts'
import { levels } from '../src/check.ts'
import { writeMatrixPages } from './matrix-pages.ts'
import { runConformance } from '../src/run.ts'
import { backendNamed, subjectOf } from './backends.ts'
import { collectCertificates } from './collect.ts'
import { certifyMatrix } from './matrix-run.ts'

const root = new URL('../../../', import.meta.url)

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
    // The certificate's name, where that is not the backend's.
    as: { type: 'string' },
    matrix: { type: 'boolean', default: false },
    from: { type: 'string' },
    // Default: what the backend claims.
    level: { type: 'string' },
    budget: { type: 'string', default: 'quick' },
    prove: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    lanes: { type: 'string' },
    // How many of the slowest checks are named.
    slowest: { type: 'string' },
  },
})

process.exitCode = await work().catch((error: unknown) => {
  console.error('the store or the harness could not start:', error)
  return 3
})

function work(): Promise<number> {
  if (values.from !== undefined) return collectCertificates(root, values.from)
  return values.matrix ? matrix() : certify()
}

async function matrix(): Promise<number> {
  if (values.backend !== undefined || values.as !== undefined || values.only !== undefined)
    throw new Error('--matrix is all backends and the whole suite')
  const forEach = process.argv.slice(2).filter((arg) => arg !== '--matrix')
  return certifyMatrix(root, forEach)
}

async function certify(): Promise<number> {
  const backend = backendNamed(values.backend ?? '')
  const { as = backend, budget, seed, only, prove, lanes, slowest } = values
  const wanted = values.level ?? claims[backend]
  const level = levels.find((one) => one === wanted)
  if (level === undefined || (budget !== 'quick' && budget !== 'cert'))
    throw new Error('--level is core, concurrent or durable; --budget is quick or cert')
  const subject = await subjectOf(backend)
  const certificate = await runConformance(subject, {
    level,
    budget,
    prove,
    log: console.info,
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(lanes !== undefined && { lanes: Number(lanes) }),
    ...(slowest !== undefined && { slowest: Number(slowest) }),
    ...(only !== undefined && { only }),
  })
  // A part of the suite is for looking into something; it replaces no certificate.
  if (only === undefined) {
    await writeCertificate(certificate, new URL('conformance/', root), as)
    await writeMatrixPages(root)
  }
  for (const line of summary(certificate)) console.info(line)
  return exitCode(certificate)
}
