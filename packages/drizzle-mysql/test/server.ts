import { missingServer, urlOfServer, type ServerBackend } from '../../../tools/servers/found.ts'

/** The servers that this package is tested on. */
export type MysqlBackend = Exclude<ServerBackend, 'pg'>

/** The address of the server that was found, with another database. */
export function urlOn(backend: MysqlBackend, database = ''): string {
  const url = urlOfServer(backend)
  if (url === undefined) throw new Error(missingServer(backend))
  return Object.assign(new URL(url), { pathname: `/${database}` }).href
}
