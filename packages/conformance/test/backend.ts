// Certifies one backend of this repository and writes its certificate under conformance/.
import { parseArgs } from 'node:util'
import { exitCode } from '../src/certificate.ts'
import { summary, writeCertificate } from '../src/certificate-files.ts'
import type { StoreUnderTest } from '../src/define.ts'
import { levels } from '../src/check.ts'
import { runConformance } from '../src/run.ts'

const root = new URL('../../../', import.meta.url)

type Subjects = Readonly<Record<string, StoreUnderTest>>

/** The subjects of each backend; loaded only when asked for, since each brings its driver. */
const backends: Readonly<Record<string, () => Promise<Subjects>>> = {
  memory: async () => (await import('./memory-subject.ts')).subjects,
  sqlite: () => subjectsIn('packages/drizzle-sqlite/test/subjects.ts'),
  'libsql-client': () => subjectsIn('packages/drizzle-sqlite/test/subjects.ts'),
  'better-sqlite3': () => subjectsIn('packages/drizzle-sqlite/test/subjects.ts'),
  pg: () => subjectsIn('packages/drizzle-pg/test/subjects.ts'),
  'libsql-server': () => subjectsIn('packages/drizzle-sqlite/test/subjects.ts'),
  mariadb: () => subjectsIn('packages/drizzle-mysql/test/subjects.ts'),
}

async function subjectsIn(path: string): Promise<Subjects> {
  const file = (await import(new URL(path, root).href)) as { readonly subjects: Subjects } // files of subjects have this shape
  return file.subjects
}

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
    level: { type: 'string', default: 'concurrent' },
    budget: { type: 'string', default: 'quick' },
    prove: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
  },
})

process.exitCode = await certify().catch((error: unknown) => {
  console.error('the store or the harness could not start:', error)
  return 3
})

async function certify(): Promise<number> {
  const { backend = '', budget, seed, only, prove } = values
  const level = levels.find((one) => one === values.level)
  if (level === undefined || (budget !== 'quick' && budget !== 'cert'))
    throw new Error('--level is core, concurrent or durable; --budget is quick or cert')
  const subject = await subjectOf(backend)
  const certificate = await runConformance(subject, {
    level,
    budget,
    prove,
    log: console.info,
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(only !== undefined && { only }),
  })
  // A part of the suite is for looking into something; it replaces no certificate.
  if (only === undefined) await writeCertificate(certificate, new URL('conformance/', root), backend)
  for (const line of summary(certificate)) console.info(line)
  return exitCode(certificate)
}

async function subjectOf(backend: string): Promise<StoreUnderTest> {
  const load = backends[backend]
  if (load === undefined) throw new Error(`--backend is one of ${Object.keys(backends).join(', ')}`)
  const subjects = await load()
  const subject = subjects[backend]
  if (subject === undefined) throw new Error(`there is no subject ${backend}, only ${Object.keys(subjects).join(', ')}`)
  return subject
}
