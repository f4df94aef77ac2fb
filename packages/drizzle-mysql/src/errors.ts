import { failureByCode, type ErrorKind, type Failure } from '@daybook/drizzle'

/** Error numbers of MySQL and MariaDB; the driver's names for them are MySQL's, and wrong for some of MariaDB's. */
const errnoKinds: Readonly<Record<number, ErrorKind>> = {
  1062: 'duplicate',
  1213: 'contention',
  1020: 'contention', // MariaDB 11.6 and newer: the row changed since the snapshot
  3101: 'contention', // rolled back by the group
  1205: 'locked',
  3572: 'locked',
  1242: 'locked', // of our statements only the one that takes the migration's lock can say it
  1317: 'cancelled',
  3024: 'cancelled',
  1969: 'cancelled',
  1040: 'connection',
  1203: 'connection',
  4031: 'connection',
  1047: 'connection',
  1927: 'connection',
  1290: 'read_only',
  1792: 'read_only',
  1044: 'unreachable',
  1045: 'unreachable',
  1049: 'unreachable',
  1142: 'unreachable',
  1698: 'unreachable',
  1021: 'storage',
  1114: 'storage',
  1406: 'too_large',
  1071: 'too_large',
  1153: 'too_large',
  1301: 'too_large',
  1390: 'too_large',
  1146: 'missing_schema',
  1054: 'missing_schema',
}

/** Codes of the driver and of Node, where there is no number of the server. */
const codeKinds: Readonly<Record<string, ErrorKind>> = {
  PROTOCOL_CONNECTION_LOST: 'connection',
  PROTOCOL_SEQUENCE_TIMEOUT: 'connection',
  ECONNREFUSED: 'connection',
  ECONNRESET: 'connection',
  EPIPE: 'connection',
  ETIMEDOUT: 'connection',
  ENOTFOUND: 'unreachable',
}

export const failureOf = (error: unknown): Failure => failureByCode(error, codesOf, kindOf)

/** A number below 0 is the system's, which has a name too. */
function codesOf(error: Error): (string | number)[] {
  const { errno, code } = error as { errno?: unknown; code?: unknown } // an error may carry anything
  if (typeof errno === 'number' && errno > 0) return [errno]
  return typeof code === 'string' ? [code] : []
}

const kindOf = (code: string | number) => (typeof code === 'number' ? errnoKinds[code] : codeKinds[code])
