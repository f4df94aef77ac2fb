import type { Source, SourceDialect } from './source.ts'
import { wallTime } from './wall-time.ts'

/** MySQL, and MariaDB. */
export const mysql: SourceDialect = {
  flavour: 'mysql',
  name: (identifier) => `\`${identifier.replaceAll('`', '``')}\``,
  param: () => '?',
  jsonText: (column) => `cast(${column} as char character set utf8mb4)`,
  columns: `select table_name as \`of\`, column_name as \`name\` from information_schema.columns where table_schema = database()`,
  // ADK's driver writes what the clock on the wall of its process says, into a datetime.
  adkTime: (zone) => ({
    sql: (column) => `date_format(${column}, '%Y-%m-%dT%H:%i:%s.%f')`,
    read: (value) => wallTime(String(value), zone),
  }),
  // A timestamp is a point in time, whatever the zone of the connection; its writers say that they set theirs to UTC.
  sqlspecTime: {
    sql: (column) => `cast(unix_timestamp(${column}) * 1000000 as char)`,
    read: (value) => (value === null ? Number.NaN : Math.round(Number(value)) / 1000),
  },
  isZoneless: true,
  differs: (a, b) => `cast(${a} as binary) <> cast(${b} as binary)`,
}

export async function openMysql(url: string): Promise<Source> {
  const { createConnection } = await import('mysql2/promise')
  const connection = await createConnection({
    uri: url.replace(/^mariadb:/i, 'mysql:'),
    charset: 'utf8mb4',
    // All that is read is text and whole numbers, so that nothing depends on a version of the driver.
    dateStrings: true,
    supportBigNumbers: true,
  })
  // Among other statements than prepared ones the driver escapes values by a rule that a mode of the server switches off.
  const query: Source['query'] = async (sql, params) => {
    const [rows] = await connection.execute(sql, [...params])
    return rows as Record<string, unknown>[] // only statements that read come here
  }
  connection.on('error', () => {}) // the statement that is running, or the next one, fails by itself
  await connection.query('set transaction isolation level repeatable read')
  await connection.query('start transaction with consistent snapshot, read only')
  return { dialect: mysql, query, close: () => connection.end() }
}
