import type { ErrorKind, Failure } from '@daybook/drizzle'

/** SQLSTATEs, classes of them, and the drivers' and Node's own codes. https://www.postgresql.org/docs/current/errcodes-appendix.html */
export const errorKinds: Readonly<Record<string, ErrorKind>> = {
  '23505': 'duplicate',
  '40001': 'contention',
  '40P01': 'contention',
  '55P03': 'locked',
  '57014': 'cancelled',
  '57P01': 'connection',
  '57P02': 'connection',
  '57P03': 'connection',
  '57P05': 'connection',
  '25P03': 'connection',
  '53300': 'connection',
  '08': 'connection',
  '25006': 'read_only',
  '28': 'unreachable',
  '3D000': 'unreachable',
  '42501': 'forbidden',
  '26000': 'statement_lost',
  '42P05': 'statement_lost',
  '53100': 'storage',
  '58030': 'storage',
  XX001: 'corrupt',
  XX002: 'corrupt',
  '22001': 'too_large',
  '54000': 'too_large',
  '42P01': 'missing_schema',
  '42703': 'missing_schema',
  '3F000': 'missing_schema',
  CONNECTION_CLOSED: 'connection',
  CONNECTION_DESTROYED: 'connection',
  CONNECT_TIMEOUT: 'connection',
  CONNECTION_ENDED: 'closed',
  ECONNREFUSED: 'connection',
  ECONNRESET: 'connection',
  EPIPE: 'connection',
  ETIMEDOUT: 'connection',
  EHOSTUNREACH: 'connection',
  ENETUNREACH: 'connection',
  EAI_AGAIN: 'connection',
  ENOTFOUND: 'unreachable',
  DAYBOOK_CONNECTION_LOST: 'connection',
  DAYBOOK_POOL_ENDED: 'closed',
}

const depth = 8

/** What node-postgres reports without a code is that the connection is gone, or did not come in time. */
export class ConnectionLost extends Error {
  readonly code = 'DAYBOOK_CONNECTION_LOST'
  override readonly message = 'the connection to the database was lost'
}

export class PoolEnded extends Error {
  readonly code = 'DAYBOOK_POOL_ENDED'
  override readonly message = 'the pool that was handed over has ended'
}

/** The codes of an error and its causes, outermost first; a host name may have been tried at several addresses. */
function codesOf(error: unknown): string[] {
  const codes: string[] = []
  let cause = error
  for (let level = 0; cause instanceof Error && level < depth; level++) {
    const { code } = cause as { code?: unknown } // an error may carry anything
    if (typeof code === 'string') codes.push(code)
    cause = cause instanceof AggregateError ? cause.errors[0] : cause.cause
  }
  return codes
}

/** Neither the server nor the system has a name for it. */
export const hasNoCode = (error: unknown): boolean => error instanceof Error && codesOf(error).length === 0

/** The first code of an error and its causes that the table knows. */
export function failureOf(error: unknown): Failure {
  const codes = codesOf(error)
  for (const driverCode of codes) {
    const kind = errorKinds[driverCode] ?? (driverCode.length === 5 ? errorKinds[driverCode.slice(0, 2)] : undefined)
    if (kind !== undefined) return { kind, driverCode }
  }
  const [driverCode] = codes
  return { kind: 'internal', ...(driverCode !== undefined && { driverCode }) }
}

/** The document of a scope would have grown over its limit; see append.ts. */
export const checkViolation = '23514'

/** A statement had failed before; nothing but ROLLBACK is taken. */
export const abortedTransaction = '25P02'

/** There was no connection to send anything on. */
export const neverSent: ReadonlySet<string | number> = new Set([
  '53300',
  '57P03',
  'CONNECT_TIMEOUT',
  'ECONNREFUSED',
  'EAI_AGAIN',
  'ENOTFOUND',
])
