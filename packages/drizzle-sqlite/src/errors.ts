import { failureByCode, nodeErrorKinds, type ErrorKind, type Failure } from '@daybook/drizzle'

/** Names of SQLite's result codes (https://sqlite.org/rescode.html), primary and extended, of the libSQL client's own, of Node and of its `fetch`. */
export const errorKinds: Readonly<Record<string, ErrorKind>> = {
  SQLITE_CONSTRAINT_PRIMARYKEY: 'duplicate',
  SQLITE_CONSTRAINT_UNIQUE: 'duplicate',
  SQLITE_CONSTRAINT: 'duplicate', // a server does not say which; of our statements only keys can fail
  SQLITE_CONSTRAINT_FOREIGNKEY: 'internal',
  SQLITE_CONSTRAINT_NOTNULL: 'internal',
  SQLITE_CONSTRAINT_CHECK: 'internal',
  SQLITE_CONSTRAINT_TRIGGER: 'internal',
  SQLITE_BUSY: 'locked',
  SQLITE_BUSY_RECOVERY: 'locked',
  SQLITE_BUSY_SNAPSHOT: 'locked',
  SQLITE_BUSY_TIMEOUT: 'locked',
  SQLITE_LOCKED: 'locked',
  SQLITE_LOCKED_SHAREDCACHE: 'locked',
  DAYBOOK_CONNECTION_IN_USE: 'locked',
  DAYBOOK_CONNECTION_REPLACED: 'connection',
  TRANSACTION_ACTIVE: 'locked',
  TRANSACTION_CLOSED: 'connection',
  TRANSACTION_TIMEOUT: 'contention',
  STREAM_EXPIRED: 'connection',
  HRANA_WEBSOCKET_ERROR: 'connection',
  HRANA_CLOSED_ERROR: 'connection',
  HRANA_PROTO_ERROR: 'connection', // an answer that something between us and the server gave
  SERVER_ERROR: 'connection', // a status of HTTP instead of an answer
  SQLITE_INTERRUPT: 'cancelled',
  SQLITE_READONLY: 'read_only',
  SQLITE_FULL: 'storage',
  SQLITE_IOERR: 'storage',
  SQLITE_CORRUPT: 'corrupt',
  SQLITE_NOTADB: 'corrupt',
  SQLITE_TOOBIG: 'too_large',
  ARGS_INVALID: 'too_large',
  RESPONSE_TOO_LARGE: 'too_large',
  SQLITE_CANTOPEN: 'unreachable',
  SQLITE_AUTH: 'unreachable',
  SQLITE_ERROR: 'maybe_missing_schema', // also a syntax error
  SQLITE_UNKNOWN: 'maybe_missing_schema', // what a server calls SQLITE_ERROR
  CLIENT_CLOSED: 'closed',
  DAYBOOK_CONNECTION_CLOSED: 'closed',
  ...nodeErrorKinds,
  ENETDOWN: 'connection',
  EHOSTDOWN: 'connection',
  UND_ERR_SOCKET: 'connection',
  UND_ERR_CONNECT_TIMEOUT: 'nobody_listens',
  UND_ERR_HEADERS_TIMEOUT: 'connection',
  UND_ERR_BODY_TIMEOUT: 'connection',
  UND_ERR_ABORTED: 'connection',
  UND_ERR_CLOSED: 'connection',
  UND_ERR_DESTROYED: 'connection',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'connection',
}

/** Drizzle and the client wrap the driver's errors. */
export const failureOf = (error: unknown): Failure => failureByCode(error, codesOf, kindOf)

function kindOf(code: string | number, error: Error): ErrorKind | undefined {
  if (typeof code === 'number') return undefined // SQLite's drivers name their codes
  return isRefusal(code, error) ? 'unreachable' : (errorKinds[code] ?? errorKinds[primaryOf(code)])
}

function codesOf(error: Error): string[] {
  const { extendedCode, code } = error as { extendedCode?: unknown; code?: unknown } // an error may carry anything
  return [extendedCode, code].filter((one): one is string => typeof one === 'string' && one !== '')
}

/** The server refused the token: the client keeps the status of HTTP in the cause of its error. */
function isRefusal(code: string, { cause }: Error): boolean {
  const status = cause instanceof Error && 'status' in cause ? cause.status : undefined
  return code === 'SERVER_ERROR' && (status === 401 || status === 403)
}

/** `SQLITE_IOERR_FSYNC` → `SQLITE_IOERR` */
const primaryOf = (code: string) => code.split('_').slice(0, 2).join('_')

/** Somebody else's transaction is open on the one connection that we share: as good as a lock. */
export class ConnectionInUse extends Error {
  readonly code = 'DAYBOOK_CONNECTION_IN_USE'
  override readonly message = 'the connection is inside a transaction of the application'
}

/** The application closed what it had handed over; better-sqlite3 says that without a code. */
export class ConnectionClosed extends Error {
  readonly code = 'DAYBOOK_CONNECTION_CLOSED'
  override readonly message = 'the connection is closed'
}
