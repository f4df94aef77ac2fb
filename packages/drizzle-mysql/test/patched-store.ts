import type { SentStatement } from '@daybook/conformance'
import { createCalls, type Store } from '@daybook/core'
import { createEngine } from '@daybook/drizzle'
import { drizzle } from 'drizzle-orm/mysql2'
import { createPool, type PoolOptions } from 'mysql2/promise'
import type { DialectPatch } from '../../drizzle/test/dialect-patch.ts'
import { connectionsOf } from '../src/connections.ts'
import { mysqlDialect } from '../src/dialect.ts'
import { poolOf } from '../src/driver.ts'
import { failuresOf } from '../src/errors.ts'
import type { MysqlStoreOptions } from '../src/index.ts'
import { probe } from '../src/probe.ts'

interface PatchedOptions extends MysqlStoreOptions, Pick<PoolOptions, 'connectionLimit'> {
  readonly url: string
  readonly onStatement?: ((statement: SentStatement) => void) | undefined
  /** What each connection sets first, as an application's pool may. */
  readonly session?: Readonly<Record<string, string>>
}

/** What a statement comes as, by itself or in the first of the arguments. */
type Given = string | { readonly sql: string; readonly values?: readonly unknown[] }
type Send = (given: Given, values?: unknown, ...rest: unknown[]) => unknown

/** A block as what it does to tables, each piece as if it had been sent by itself; any other text as it is. */
function statementsIn(text: string, values: readonly unknown[]): SentStatement[] {
  if (!text.includes('begin not atomic')) return [{ text, values }]
  let rest = values
  const pieces = text.split(/;\s|\belse\s/).map((piece) => {
    const count = piece.split('?').length - 1
    const own = rest.slice(0, count)
    rest = rest.slice(count)
    return { text: piece.trim(), values: own }
  })
  const ours = pieces.filter(({ text: piece }) => /^(select|update|insert)\b.*`daybook/is.test(piece))
  const key = ours[0]?.values ?? []
  return ours.map(({ text: piece, values: own }, i) => ({
    text: piece.replace(/\sinto v_\w+, v_\w+, v_\w+\s/, ' ').replaceAll(/\bv_\w+/g, '1'),
    values: piece.includes('v_sid') && i > 0 ? [...own, ...key] : own, // which is what the first one found by its key
    ...(i > 0 && { sameTrip: true as const }),
  }))
}

/** Every statement of a connection goes through one of these two, whoever sends it. */
function listenTo(connection: object, onStatement: (statement: SentStatement) => void): void {
  const methods = connection as Record<'query' | 'execute', Send>
  for (const name of ['query', 'execute'] as const) {
    const send = methods[name].bind(connection)
    methods[name] = (given, values, ...rest) => {
      const { sql: text, values: own = [] } = typeof given === 'string' ? { sql: given } : given
      const all = Array.isArray(values) ? (values as unknown[]) : own
      for (const statement of statementsIn(text, all)) onStatement(statement)
      return send(given, values, ...rest)
    }
  }
}

/** A store of the package's own parts, whose statements are heard and whose dialect may be changed between them. */
export async function openPatched(
  { url, connectionLimit = 5, onStatement, session, ...options }: PatchedOptions,
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
  const set = Object.entries(session ?? {}).map(
    ([name, value]) => `${name} = ${/^\d+$/.test(value) ? value : `'${value}'`}`,
  )
  if (set.length > 0) client.on('connection', (connection) => void connection.query(`set session ${set.join(', ')}`))
  if (onStatement !== undefined) client.on('connection', (connection) => listenTo(connection, onStatement))
  const connections = connectionsOf(poolOf(drizzle({ client })))
  const server = await createCalls({}).run('open', undefined, (call) =>
    connections.lend(call, (connection) => probe(connection, false)),
  )
  const close = () => client.end()
  const dialect = mysqlDialect({
    connections,
    server,
    options,
    close,
    failures: failuresOf[server.flavour],
    setsMode: false,
  })
  return createEngine(patch(dialect), options, []).store
}
