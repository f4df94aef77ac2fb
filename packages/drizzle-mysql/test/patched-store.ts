import type { SentStatement } from '@daybook/conformance'
import type { Store } from '@daybook/core'
import { createEngine } from '@daybook/drizzle'
import { drizzle } from 'drizzle-orm/mysql2'
import { createPool, type PoolOptions } from 'mysql2/promise'
import type { DialectPatch } from '../../drizzle/test/dialect-patch.ts'
import { mysqlDialect } from '../src/dialect.ts'
import type { MysqlStoreOptions } from '../src/index.ts'
import { probe } from '../src/probe.ts'

interface PatchedOptions extends MysqlStoreOptions, Pick<PoolOptions, 'connectionLimit'> {
  readonly url: string
  readonly onStatement?: ((statement: SentStatement) => void) | undefined
}

/** What a statement comes as, by itself or in the first of the arguments. */
type Given = string | { readonly sql: string; readonly values?: readonly unknown[] }
type Send = (given: Given, values?: unknown, ...rest: unknown[]) => unknown

/** Every statement of a connection goes through one of these two, whoever sends it. */
function listenTo(connection: object, onStatement: (statement: SentStatement) => void): void {
  const methods = connection as Record<'query' | 'execute', Send>
  for (const name of ['query', 'execute'] as const) {
    const send = methods[name].bind(connection)
    methods[name] = (given, values, ...rest) => {
      const { sql: text, values: own = [] } = typeof given === 'string' ? { sql: given } : given
      onStatement({ text, values: Array.isArray(values) ? (values as unknown[]) : own })
      return send(given, values, ...rest)
    }
  }
}

/** A store of the package's own parts, whose statements are heard and whose dialect may be changed between them. */
export async function openPatched(
  { url, connectionLimit = 5, onStatement, ...options }: PatchedOptions,
  patch: DialectPatch = (dialect) => dialect,
): Promise<Store> {
  const client = createPool({
    uri: url,
    connectionLimit,
    charset: 'utf8mb4',
    timezone: 'Z',
    flags: ['-LOCAL_FILES'],
    supportBigNumbers: true,
    jsonStrings: true,
  })
  if (onStatement !== undefined) client.on('connection', (connection) => listenTo(connection, onStatement))
  const db = drizzle({ client })
  const server = await probe(db)
  const dialect = mysqlDialect({ db, server, options, close: () => client.end() })
  return createEngine(patch(dialect), options, []).store
}
