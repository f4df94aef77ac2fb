import { defaultLimits, type Limits } from '@daybook/core'
import { tableNamesOf, type Dialect } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { capabilitiesOf } from './capabilities.ts'
import { catalogOf } from './catalog.ts'
import type { Connections } from './connections.ts'
import { expressionsFor } from './expressions.ts'
import { hotPath } from './hot-path.ts'
import { jsonPathsFor } from './json-path.ts'
import { frameBytes, manyRowsFacts } from './many-rows.ts'
import { migrating } from './migrate.ts'
import { pathIndexing } from './path-index.ts'
import { probe, type Probe } from './probe.ts'
import { daybookTables, type Flavour, type MysqlTableOptions } from './schema.ts'
import { searchFor } from './search.ts'
import { transactions } from './transactions.ts'

interface Parts {
  readonly connections: Connections
  readonly server: Probe
  readonly options: MysqlTableOptions
  readonly failures: Dialect['failureOf']
  /** Whether every connection of the pool gets our mode. */
  readonly setsMode: boolean
  readonly close: () => Promise<void>
}

/** The verbs over mysql2 on MySQL and MariaDB. */
export function mysqlDialect({ connections, server, options, failures, setsMode, close }: Parts): Dialect {
  const { flavour } = server
  const tables = daybookTables({ ...options, flavour })
  return {
    tables,
    capabilities: capabilitiesOf(options.foreignKeys ?? true, server),
    limits: limitsOf(server),
    mostLimits: { stateDepth: deepest[flavour] },
    expressions: expressionsFor(server),
    search: searchFor(server),
    manyRows: manyRowsFacts(server.maxAllowedPacket),
    jsonPaths: jsonPathsFor(flavour),
    pathIndexing: pathIndexing(options, flavour),
    ...(flavour === 'mysql' && { alongRecent: hintOf(tableNamesOf(options).sessions) }),
    lockWait: 5_000,
    failureOf: failures,
    ...migrating(options, flavour),
    catalog: catalogOf({ ...options, flavour }),
    ...transactions(connections, flavour),
    ...hotPath({ tables, connections, server, failures }),
    server: (call) => connections.lend(call, (connection) => probe(connection, setsMode)),
    pool: connections.state,
    close,
  }
}

/** To MariaDB it is a comment, and to MySQL before 8.0.20. */
const hintOf = (sessions: string) =>
  sql`/*+ index(${sql.identifier(sessions)} ${sql.identifier(`${sessions}_recent`)}) */ `

/** Levels of a document that the native JSON of each takes. */
const deepest: Readonly<Record<Flavour, number>> = { mysql: 100, mariadb: 31 }

/** A packet holds a statement with everything in it, some of it twice as long for the escaping. */
function limitsOf({ maxAllowedPacket }: Probe): Limits {
  const room = Math.floor((maxAllowedPacket - frameBytes) / 2)
  return {
    ...defaultLimits,
    eventBytes: Math.min(defaultLimits.eventBytes, room),
    stateBytes: Math.min(defaultLimits.stateBytes, room),
  }
}
