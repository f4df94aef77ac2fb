import { causesOf, failureByCode, nodeErrorKinds, type ErrorKind, type Failure } from '@daybook/drizzle'

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
  '40003': 'connection', // whether the statement was completed is not known
  '25006': 'read_only',
  '28': 'login_refused',
  '3D000': 'no_database',
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
  ...nodeErrorKinds,
  DAYBOOK_CONNECTION_LOST: 'connection',
  DAYBOOK_POOL_ENDED: 'closed',
}

/** What node-postgres reports without a code is that the connection is gone, or did not come in time. */
export class ConnectionLost extends Error {
  readonly code = 'DAYBOOK_CONNECTION_LOST'
  override readonly message = 'the connection to the database was lost'
}

export class PoolEnded extends Error {
  readonly code = 'DAYBOOK_POOL_ENDED'
  override readonly message = 'the pool that was handed over has ended'
}

function codesOf(error: Error): string[] {
  const { code } = error as { code?: unknown } // an error may carry anything
  return typeof code === 'string' ? [code] : []
}

/** An SQLSTATE is known by itself or by its class, the first two; with any other one the server refused the statement. */
const kindOf = (code: string | number): ErrorKind | undefined => {
  if (typeof code === 'number') return undefined
  const isState = /^[0-9A-Z]{5}$/.test(code) && /[0-9]/.test(code)
  return errorKinds[code] ?? (isState ? (errorKinds[code.slice(0, 2)] ?? 'internal') : undefined)
}

/** Neither the server nor the system has a name for it. */
export const hasNoCode = (error: unknown): boolean =>
  error instanceof Error && [...causesOf(error)].every((cause) => codesOf(cause).length === 0)

export const failureOf = (error: unknown): Failure => failureByCode(error, codesOf, kindOf)

/** The document of a scope would have grown over its limit; see append.ts. */
export const checkViolation = '23514'

/** A lock was waited for in vain; also where nobody wanted to wait. */
export const lockNotAvailable = '55P03'

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
