import type { Level } from '../../packages/conformance/src/check.ts'
import type { BackendName } from './required.ts'

/** The level that each backend of this repository is certified at. */
export const claims: Readonly<Record<BackendName, Level>> = {
  memory: 'concurrent', // it keeps nothing that a crash could lose
  'json-files': 'core',
  sqlite: 'durable',
  'sqlite-codec': 'concurrent',
  'sqlite-worker': 'concurrent', // nobody but the thread has its connection, so its disk cannot be filled from outside
  'libsql-client': 'durable',
  'better-sqlite3': 'durable',
  'libsql-server': 'concurrent', // its client cannot give up a request, and keeps a connection that has gone silent
  pg: 'durable',
  'pg-codec': 'concurrent',
  'pg-postgres-js': 'concurrent', // the driver does not bear what faults do to it
  'pg-pglite': 'core', // no other process can open it
  mariadb: 'durable',
  mysql: 'durable',
}
