import { failureByCode, nodeErrorKinds, type ErrorKind, type Failure } from '@daybook/drizzle'
import type { Flavour } from './schema.ts'

type Kinds<Code extends string | number> = Readonly<Record<Code, ErrorKind>>

/** Error numbers that both servers have. The driver's names for them are MySQL's, and wrong for some of MariaDB's. */
const errnoKinds: Kinds<number> = {
  1062: 'duplicate',
  1213: 'contention',
  1020: 'contention', // the row changed since the snapshot
  1412: 'contention', // the table did
  1467: 'contention', // a deadlock on the lock of a table's numbers, as MariaDB tells it
  1615: 'contention', // a prepared statement has to be prepared again
  1205: 'locked',
  1242: 'locked', // of our statements only the one that takes the migration's lock can say it
  1317: 'cancelled',
  1040: 'connection',
  1203: 'connection',
  1226: 'connection',
  1053: 'connection',
  1047: 'connection', // a node of a cluster that is not ready
  1290: 'read_only',
  1792: 'read_only',
  1836: 'read_only',
  1044: 'login_refused',
  1045: 'login_refused',
  1046: 'unreachable',
  1049: 'no_database',
  1129: 'unreachable',
  1130: 'login_refused',
  1251: 'login_refused',
  1698: 'login_refused',
  1820: 'login_refused',
  1862: 'login_refused',
  1142: 'forbidden',
  1143: 'forbidden',
  1227: 'forbidden',
  1370: 'forbidden',
  1369: 'forbidden', // the CHECK OPTION of a view, which keeps a role to its rows
  1021: 'storage',
  1114: 'storage',
  1406: 'too_large',
  1071: 'too_large',
  1153: 'too_large',
  1301: 'too_large',
  1390: 'too_large',
  1146: 'missing_schema',
  1054: 'missing_schema',
  // Refusals of a statement that ours should not bring about; of a commit they tell that it did not come to that.
  1048: 'internal',
  1064: 'internal',
  1264: 'internal',
  1292: 'internal',
  1305: 'internal',
  1366: 'internal',
  1451: 'internal',
  1452: 'internal',
}

/** Numbers of one of them, which mean something else on the other or nothing. */
const ownErrnoKinds: Readonly<Record<Flavour, Kinds<number>>> = {
  mysql: {
    3572: 'locked',
    3024: 'cancelled',
    3101: 'contention', // rolled back by the group
    3118: 'login_refused',
    3140: 'internal',
    3151: 'too_large', // a key of a document beyond 65,535 bytes
    3157: 'internal',
    3819: 'internal',
    3159: 'untrusted', // the server wants TLS
    3032: 'connection',
    3168: 'connection',
    3169: 'connection',
    4031: 'connection',
  },
  mariadb: {
    1969: 'cancelled',
    4025: 'internal',
    1927: 'connection',
    4151: 'login_refused',
  },
}

/** Codes of the driver, of Node and of ours, where there is no number of the server. */
const codeKinds: Kinds<string> = {
  ...nodeErrorKinds,
  PROTOCOL_CONNECTION_LOST: 'connection',
  PROTOCOL_SEQUENCE_TIMEOUT: 'connection',
  PROTOCOL_ERROR: 'connection',
  PROTOCOL_UNEXPECTED_PACKET: 'connection',
  ECONNABORTED: 'connection',
  POOL_FULL: 'connection',
  CONNECTION_ENDED: 'connection',
  EACCES: 'unreachable', // of a socket's path
  HANDSHAKE_NO_SSL_SUPPORT: 'untrusted',
  HANDSHAKE_SSL_ERROR: 'untrusted',
  HANDSHAKE_UNKNOWN_ERROR: 'unreachable',
  AUTH_SWITCH_PLUGIN_ERROR: 'unreachable',
  POOL_CLOSED: 'closed',
}

const failureBy = (errnos: Kinds<number>) => {
  const kindOf = (code: string | number) => (typeof code === 'number' ? errnos[code] : codeKinds[code])
  return (error: unknown): Failure => failureByCode(error, codesOf, kindOf)
}

/** A value that a CHECK refuses, of either server, or that became none. */
export const checkViolations: ReadonlySet<unknown> = new Set([3819, 4025, 1048])

/** A statement that the server runs, but does not keep prepared. */
export const notPreparable = 1295

/** Before it is known which server it is, and for what both say alike. */
export const failureOf = failureBy(errnoKinds)

export const failuresOf: Readonly<Record<Flavour, (error: unknown) => Failure>> = {
  mysql: failureBy({ ...errnoKinds, ...ownErrnoKinds.mysql }),
  mariadb: failureBy({ ...errnoKinds, ...ownErrnoKinds.mariadb }),
}

/** A number below 0 is the system's, which has a name too. What a closed connection answers has neither, and is fatal. */
function codesOf(error: Error): (string | number)[] {
  const { errno, code, fatal } = error as { errno?: unknown; code?: unknown; fatal?: unknown } // an error may carry anything
  if (typeof errno === 'number' && errno > 0) return [errno]
  if (typeof code === 'string') return [code]
  return fatal === true ? ['CONNECTION_ENDED'] : []
}

/** What a pool says without a number or a code instead of lending a connection: it has ended, or its queue is full. */
export function refusedByPool(error: unknown, hasEnded: boolean): unknown {
  if (!(error instanceof Error) || error.constructor !== Error || codesOf(error).length > 0) return error
  return Object.assign(new Error('the pool lends no connection', { cause: error }), {
    code: hasEnded ? 'POOL_CLOSED' : 'POOL_FULL',
  })
}
