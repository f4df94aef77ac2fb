import { StoreError } from '@daybook/core'
import type { Server } from '@daybook/drizzle'
import { jsonText, keptBy, runText, type Connection, type Kept } from './driver.ts'
import type { Flavour } from './schema.ts'

export interface Probe extends Server, Kept {
  readonly flavour: Flavour
  /** Bytes of the largest statement. */
  readonly maxAllowedPacket: number
  /** Seconds for which a statement waits for a lock. */
  readonly lockWait: number
  /** Whether the server runs a block of statements as one, in the words that the store writes. */
  readonly takesBlocks: boolean
  /** Whether it knows how far apart two vectors are: MariaDB from 11.7 on. */
  readonly hasVectors: boolean
}

const floors: Readonly<Record<Flavour, readonly [number, number, number]>> = { mysql: [8, 0, 19], mariadb: [10, 6, 0] }
/** A list with {@link jsonText} in it, written so that no character set of a connection matters. */
const jsonSample = `convert(x'${Buffer.from(`[${jsonText}]`).toString('hex')}' using utf8mb4)`
/** A type of its own, of which no character set is told, has the column of a table, but not an expression. */
const documentOf: Readonly<Record<Flavour, string>> = {
  mysql: `json_table(${jsonSample}, '$[*]' columns (document json path '$'))`,
  mariadb: `(select json_extract(${jsonSample}, '$[0]') as document)`,
}
const shown = { mysql: 'MySQL', mariadb: 'MariaDB' }

/** Every statement would fail, each in its own way. */
export const noDatabase = () =>
  new StoreError('invalid_argument', 'database is missing: name the one that has the tables', { field: 'database' })

/** MariaDB came to have it with its functions of vectors; MySQL has a type of vectors, and in its community edition no function. */
const vectorSetting = 'mhnsw_ef_search'

/** Bytes of the largest statement, below which batches of a few hundred kilobytes fail. */
const leastPacket = 1024 * 1024

const settings = [
  'sql_mode',
  'max_allowed_packet',
  'innodb_flush_log_at_trx_commit',
  'innodb_doublewrite',
  'character_set_connection',
  'collation_connection',
  'innodb_lock_wait_timeout',
  'lower_case_table_names',
  'read_only',
  'time_zone',
  'autocommit',
]

/**
 * What the server says about itself. Refuses one below the floor, and a mode in which the driver's escaping is unsafe.
 *
 * @param setsMode whether every connection of the pool gets the mode that we say, whatever the server's is
 */
export async function probe(connection: Connection, setsMode: boolean): Promise<Probe> {
  const list = settings.map((name) => `@@${name} as \`${name}\``).join(', ')
  // What one of them is asked for the other one does not know.
  const variables = await runText(
    connection,
    `show session variables where variable_name in ('transaction_isolation', 'tx_isolation', '${vectorSetting}')`,
  )
  const found = new Map(variables.rows.map((one) => [one['Variable_name'], one['Value'] as string])) // SHOW answers texts
  const hasVectors = found.has(vectorSetting)
  const { rows } = await runText(
    connection,
    `select version() as \`version\`, database() as \`database\`,
      @@global.sql_mode as \`global_sql_mode\`, ${list}`,
  )
  const [row] = rows
  if (row?.['database'] === null) throw noDatabase()
  const facts = Object.fromEntries(
    Object.entries(row ?? {}).map(([name, value]) => [name, String(value as string | number)]),
  ) // settings are scalars
  const { version = '', database: _database, global_sql_mode: globalMode = '', ...rest } = facts
  const flavour: Flavour = /mariadb/i.test(version) ? 'mariadb' : 'mysql'
  refuseBelowFloor(flavour, version)
  refuseUnsafeMode(rest['sql_mode'], 'the connections run')
  // A connection that the pool makes later begins with it.
  if (!setsMode) refuseUnsafeMode(globalMode, 'the server runs')
  const maxAllowedPacket = Number(rest['max_allowed_packet'])
  if (maxAllowedPacket < leastPacket) {
    throw new StoreError(
      'unsupported',
      `max_allowed_packet is ${maxAllowedPacket} bytes, and the store needs ${leastPacket} or more: events, memories and files are written in pieces of hundreds of kilobytes`,
      { capability: 'max_allowed_packet' },
    )
  }
  if (rest['autocommit'] !== '1') {
    throw new StoreError(
      'unsupported',
      'autocommit is off on the connections: each read would leave a transaction open, and the next one see what was then',
      { capability: 'autocommit' },
    )
  }
  const warnings: string[] = []
  if (rest['innodb_flush_log_at_trx_commit'] !== '1')
    warnings.push('innodb_flush_log_at_trx_commit is not 1; about a second of commits can be lost')
  if (rest['read_only'] !== '0' && rest['read_only'] !== 'OFF')
    warnings.push('the server is read-only: a replica, perhaps; nothing can be written')
  const settingsFound = {
    floor: floors[flavour].join('.'),
    ...rest,
    vector_distance: hasVectors ? 'vec_distance_cosine' : 'none',
    transaction_isolation: found.get('transaction_isolation') ?? found.get('tx_isolation') ?? 'unknown',
  }
  return {
    flavour,
    version,
    settings: settingsFound,
    warnings,
    maxAllowedPacket,
    lockWait: Number(rest['innodb_lock_wait_timeout']),
    hasVectors,
    ...(await keptBy(connection, documentOf[flavour])),
    takesBlocks: flavour === 'mariadb' && rest['sql_mode']?.includes('ORACLE') !== true, // whose blocks are written otherwise
  }
}

/** Compared as numbers: `10.11` is newer than `10.6`. */
function refuseBelowFloor(flavour: Flavour, version: string): void {
  const found = version.split(/[.-]/).slice(0, 3).map(Number)
  const floor = floors[flavour]
  const difference = floor.map((part, i) => (found[i] ?? 0) - part).find((one) => one !== 0) ?? 0
  if (difference < 0) {
    throw new StoreError(
      'unsupported',
      `this is ${shown[flavour]} ${version}, and the store needs ${floor.join('.')} or newer`,
      { capability: 'version' },
    )
  }
}

function refuseUnsafeMode(mode: string | undefined, who: string): void {
  if (mode?.includes('NO_BACKSLASH_ESCAPES') !== true) return
  throw new StoreError(
    'unsupported',
    `${who} with sql_mode NO_BACKSLASH_ESCAPES, under which mysql2 escapes values wrongly; openMysqlStore opens connections without it`,
    { capability: 'sql_mode' },
  )
}
