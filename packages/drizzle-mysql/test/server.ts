import type { Endpoint } from '@daybook/conformance'
import type { YesNo } from '@daybook/core'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { missingServer, urlOfServer, type ServerBackend } from '../../../tools/servers/found.ts'

/** The servers that this package is tested on. */
export type MysqlBackend = Exclude<ServerBackend, 'pg'>

/** The address of the server that was found, with another database. */
export function urlOn(backend: MysqlBackend, database = ''): string {
  const url = urlOfServer(backend)
  if (url === undefined) throw new Error(missingServer(backend))
  return Object.assign(new URL(url), { pathname: `/${database}` }).href
}

/** Whether the server is one that has functions of vectors. */
export async function hasVectors(backend: MysqlBackend): Promise<YesNo> {
  const uri = urlOfServer(backend)
  if (uri === undefined) return 'no'
  const connection = await createConnection({ uri })
  const [rows] = await connection.query<RowDataPacket[]>('select version() as version')
  await connection.end()
  const { version } = rows[0] as { version: string } // one row
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return version.includes('MariaDB') && (major > 11 || (major === 11 && minor >= 7)) ? 'yes' : 'no'
}

export function endpointOf(url: string): Endpoint {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port || 3306) }
}

/** The same database by another way to its server. */
export const byWayOf = (via: Endpoint | undefined, url: string): string =>
  via === undefined ? url : Object.assign(new URL(url), { hostname: via.host, port: String(via.port) }).href
