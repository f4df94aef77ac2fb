import { randomBytes } from 'node:crypto'
import type { YesNo } from '@daybook/core'
import postgres, { type Sql } from 'postgres'
import { urlOfServer } from '../../../tools/servers/found.ts'
import { needsServer as needsBackend } from '../../../tools/servers/needs-server.ts'

/** The address of the server that was found. Without one no test comes as far as to use it. */
export const serverUrl = urlOfServer('pg') ?? 'postgres://nobody@127.0.0.1:1/nowhere'

const { hostname, port } = new URL(serverUrl)

/** The same as host and port. */
export const serverEndpoint = { host: hostname, port: Number(port || 5432) }

/** A client of the tests' own. */
export function connect(options: postgres.Options<Record<string, never>> = {}): Sql {
  return postgres(serverUrl, { max: 2, onnotice: () => {}, ...options })
}

export const needsServer = needsBackend('pg')

/** A name that no other run has. */
export const freshName = (): string => `daybook_${randomBytes(6).toString('hex')}`

/** The server's address as another role, or of another server. */
export function urlWith(
  changes: Partial<Record<'username' | 'password' | 'host' | 'pathname' | 'search', string>>,
): string {
  return Object.assign(new URL(serverUrl), changes).href
}

/** Whether the database that was found has pgvector. */
export async function hasVectors(): Promise<YesNo> {
  if (urlOfServer('pg') === undefined) return 'no'
  const sql = connect({ max: 1 })
  const found = await sql`select 1 from pg_extension where extname = 'vector'`
  await sql.end({ timeout: 1 })
  return found.length > 0 ? 'yes' : 'no'
}
