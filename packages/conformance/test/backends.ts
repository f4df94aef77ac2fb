import { findServers } from '../../../tools/servers/find.ts'
import { missingServer, type ServerBackend } from '../../../tools/servers/found.ts'
import type { BackendName } from '../../../tools/servers/required.ts'
import type { StoreUnderTest } from '../src/define.ts'

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

/** What this repository certifies, by the name that the certificate has. */
export const backends: Readonly<Record<BackendName, Backend>> = {
  memory: { load: async () => (await import('./memory-subject.ts')).subjects },
  'json-files': {
    load: async () => ({ 'json-files': (await import('../examples/json-files/json-files.conformance.ts')).default }),
  },
  sqlite: { load: sqlite },
  'sqlite-codec': { load: sqlite },
  'sqlite-worker': { load: sqlite },
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

/** The name that a backend has here; rejects another. */
export function backendNamed(name: string): BackendName {
  const names = Object.keys(backends) as BackendName[] // its keys and no others
  const found = names.find((one) => one === name)
  if (found === undefined) throw new Error(`--backend is one of ${names.join(', ')}`)
  return found
}

/** The subject of a backend, with its server found; rejects without one. */
export async function subjectOf(name: BackendName): Promise<StoreUnderTest> {
  const backend = backends[name]
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
