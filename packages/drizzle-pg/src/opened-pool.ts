import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import type { CheckedServer, TlsOptions } from '@daybook/drizzle'

/** Where and how a pool is to be opened. */
export interface PoolPlace {
  readonly server: CheckedServer
  readonly tls: TlsOptions
  readonly max: number
  /** A pooler in transaction mode is between. */
  readonly isPooled: boolean
  readonly prepare: boolean
}

export interface OpenedPool<Db> {
  readonly db: Db
  /** Makes so many connections, and waits for them. */
  readonly warm: (connections: number) => Promise<void>
  /** Lets running statements end. */
  readonly close: () => Promise<void>
  /** Waits for nothing. */
  readonly giveUp: () => Promise<void>
}

/**
 * The name that was asked for must be in the certificate. Said here, because neither driver has it so: for an address in
 * numbers Node would compare with `localhost`, and node-postgres overwrites `servername`.
 */
export function verifying(tls: TlsOptions, host = 'localhost') {
  if (tls === false) return false
  const name = tls.servername ?? host
  return { ...tls, checkServerIdentity: (_host: string, cert: PeerCertificate) => checkServerIdentity(name, cert) }
}
