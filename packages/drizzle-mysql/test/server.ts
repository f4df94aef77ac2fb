import type { Endpoint } from '@daybook/conformance'
import { missingServer, urlOfServer, type ServerBackend } from '../../../tools/servers/found.ts'

/** The servers that this package is tested on. */
export type MysqlBackend = Exclude<ServerBackend, 'pg'>

/** The address of the server that was found, with another database. */
export function urlOn(backend: MysqlBackend, database = ''): string {
  const url = urlOfServer(backend)
  if (url === undefined) throw new Error(missingServer(backend))
  return Object.assign(new URL(url), { pathname: `/${database}` }).href
}

export function endpointOf(url: string): Endpoint {
  const { hostname, port } = new URL(url)
  return { host: hostname, port: Number(port || 3306) }
}

/** The same database by another way to its server. */
export const byWayOf = (via: Endpoint | undefined, url: string): string =>
  via === undefined ? url : Object.assign(new URL(url), { hostname: via.host, port: String(via.port) }).href
