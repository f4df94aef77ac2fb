import type { PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type { Sql } from 'postgres'
import { verifying, type OpenedPool, type PoolPlace } from './opened-pool.ts'

/** The Drizzle database over the client of postgres.js that the store opened. */
export type PostgresJsDb = PostgresJsDatabase & { $client: Sql }

const seconds = (ms: number) => ms / 1000

export async function openPostgresJs(place: PoolPlace): Promise<OpenedPool<PostgresJsDb>> {
  const { server, tls, max, isPooled, prepare } = place
  const [{ default: postgres }, { drizzle }] = await Promise.all([
    import('postgres'),
    import('drizzle-orm/postgres-js'),
  ])
  const client = postgres({
    // As lists, since in one text the driver takes the colons of IPv6 for the beginning of a port.
    ...(server.host !== undefined && {
      host: [server.host] as unknown as string, // it takes lists, but its types do not say so
      port: [server.port ?? 5432] as unknown as number, // it takes lists, but its types do not say so
    }),
    ...(server.socketPath !== undefined && { path: `${server.socketPath}/.s.PGSQL.${server.port ?? 5432}` }),
    ...(server.user !== undefined && { user: server.user }),
    ...(server.database !== undefined && { database: server.database }),
    ...(server.password !== undefined && { password: server.password }),
    max,
    prepare,
    idle_timeout: seconds(server.idleTimeout),
    max_lifetime: seconds(server.maxAge),
    connect_timeout: seconds(server.connectTimeout),
    keep_alive: seconds(server.keepAlive),
    ssl: verifying(tls, server.host),
    onnotice: () => {},
    connection: {
      application_name: server.applicationName,
      TimeZone: 'UTC',
      ...(!isPooled && server.statementTimeout !== undefined && { statement_timeout: server.statementTimeout }),
      ...(!isPooled && server.lockTimeout !== undefined && { lock_timeout: server.lockTimeout }),
    },
  })
  return {
    db: drizzle({ client }),
    async warm(connections) {
      // At once, so that each needs a connection of its own: more than one statement is sent on one that is there.
      await Promise.all(Array.from({ length: connections }, () => client.begin(async () => {})))
    },
    close: () => client.end({ timeout: 5 }),
    giveUp: () => client.end({ timeout: 0 }),
  }
}
