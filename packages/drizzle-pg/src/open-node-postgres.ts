import { setTimeout as wait } from 'node:timers/promises'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import type { Pool } from 'pg'
import { verifying, type OpenedPool, type PoolPlace } from './opened-pool.ts'

/** The Drizzle database over the pool of node-postgres that the store opened. */
export type NodePostgresDb = NodePgDatabase & { $client: Pool }

/** Milliseconds that statements of the application on our pool have to end. */
const longestClose = 5_000

export async function openNodePostgres(place: PoolPlace): Promise<OpenedPool<NodePostgresDb>> {
  const { server, tls, max, isPooled } = place
  const [{ default: pg }, { drizzle }] = await Promise.all([import('pg'), import('drizzle-orm/node-postgres')])
  const host = server.socketPath ?? server.host
  const pool = new pg.Pool({
    ...(host !== undefined && { host }),
    ...(server.port !== undefined && { port: server.port }),
    ...(server.user !== undefined && { user: server.user }),
    ...(server.database !== undefined && { database: server.database }),
    ...(server.password !== undefined && { password: server.password }),
    max,
    min: server.warm,
    idleTimeoutMillis: server.idleTimeout,
    maxLifetimeSeconds: server.maxAge / 1000,
    connectionTimeoutMillis: server.connectTimeout,
    keepAlive: server.keepAlive > 0,
    keepAliveInitialDelayMillis: server.keepAlive,
    application_name: server.applicationName,
    ssl: verifying(tls, server.host),
    ...(!isPooled && {
      ...(server.statementTimeout !== undefined && { statement_timeout: server.statementTimeout }),
      ...(server.lockTimeout !== undefined && { lock_timeout: server.lockTimeout }),
      // Not at start-up: a pooler that nobody spoke of would refuse the connection, and this it knows.
      onConnect: async (client: { query(text: string): Promise<unknown> }) => {
        await client.query("set time zone 'UTC'")
      },
    }),
  })
  pool.on('error', () => {}) // an idle connection that died is gone from the pool already
  const close = async () => {
    const ended = pool.end()
    ended.catch(() => {}) // nobody waits for it when it takes too long
    await Promise.race([ended, wait(longestClose, undefined, { ref: false })])
  }
  return {
    db: drizzle({ client: pool }),
    async warm(connections) {
      const made = await Promise.allSettled(Array.from({ length: connections }, () => pool.connect()))
      for (const one of made) if (one.status === 'fulfilled') one.value.release()
      const failed = made.find((one) => one.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
    close,
    async giveUp() {
      pool.end().catch(() => {}) // it waits for connections that are being made
    },
  }
}
