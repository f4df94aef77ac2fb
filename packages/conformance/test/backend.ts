// Certifies one backend of this repository and writes its certificate under conformance/.
import { parseArgs } from 'node:util'
import { exitCode } from '../src/certificate.ts'
import { summary, writeCertificate } from '../src/certificate-files.ts'
import type { StoreUnderTest } from '../src/define.ts'
import { levels } from '../src/check.ts'
import { writeMatrixPages } from './matrix-pages.ts'
import { runConformance } from '../src/run.ts'
import { findServers } from '../../../tools/servers/find.ts'
import { missingServer, type ServerBackend } from '../../../tools/servers/found.ts'

const root = new URL('../../../', import.meta.url)

type Subjects = Readonly<Record<string, StoreUnderTest>>

async function subjectsIn(path: string): Promise<Subjects> {
  const file = (await import(new URL(path, root).href)) as { readonly subjects: Subjects } // files of subjects have this shape
  return file.subjects
}

interface Backend {
  /** Loaded only when asked for, since each brings its driver. */
  readonly load: () => Promise<Subjects>
  /** The server that it needs. */
  readonly server?: ServerBackend
}

const sqlite = () => subjectsIn('packages/drizzle-sqlite/test/subjects.ts')
const pg = () => subjectsIn('packages/drizzle-pg/test/subjects.ts')
const mysql = () => subjectsIn('packages/drizzle-mysql/test/subjects.ts')

const backends: Readonly<Record<string, Backend>> = {
  memory: { load: async () => (await import('./memory-subject.ts')).subjects },
  sqlite: { load: sqlite },
  'sqlite-codec': { load: sqlite },
  'libsql-client': { load: sqlite },
  'better-sqlite3': { load: sqlite },
  'libsql-server': { load: sqlite },
  pg: { load: pg, server: 'pg' },
  'pg-codec': { load: pg, server: 'pg' },
  'pg-postgres-js': { load: pg, server: 'pg' },
  'pg-pglite': { load: pg },
  mariadb: { load: mysql, server: 'mariadb' },
  mysql: { load: mysql, server: 'mysql' },
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
  if (only === undefined) {
    await writeCertificate(certificate, new URL('conformance/', root), backend)
    await writeMatrixPages(root)
  }
  for (const line of summary(certificate)) console.info(line)
  return exitCode(certificate)
}

async function subjectOf(name: string): Promise<StoreUnderTest> {
  const backend = backends[name]
  if (backend === undefined) throw new Error(`--backend is one of ${Object.keys(backends).join(', ')}`)
  if (backend.server !== undefined) {
    await findServers([backend.server])
    const missing = missingServer(backend.server)
    if (missing !== undefined) throw new Error(missing)
  }
  const subjects = await backend.load()
  const subject = subjects[name]
  if (subject === undefined) throw new Error(`there is no subject ${name}, only ${Object.keys(subjects).join(', ')}`)
  return subject
}
