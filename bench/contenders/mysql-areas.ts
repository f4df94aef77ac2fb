// The limit of artifacts, memories and metrics on MariaDB and MySQL: a table each, and the server's own full-text index.
import type { Pool, RowDataPacket } from 'mysql2/promise'
import type { Contender } from '../contender.ts'
import { cellsOf, columnNames, type Cell } from './metric-columns.ts'

export const areaTables = [
  `create table bench_artifacts (app_name varchar(191), user_id varchar(191), session_id varchar(191), name varchar(191), version int, bytes longblob, primary key (app_name, user_id, session_id, name, version)) charset = utf8mb4`,
  `create table bench_memories (id bigint auto_increment primary key, app_name varchar(191) not null, user_id varchar(191) not null, text longtext not null, key (app_name, user_id), fulltext key (text)) charset = utf8mb4`,
]

/** Rows of one statement: 4 × 250 measured best. */
const together = 250
const insertRows = `insert into daybook_metrics (${columnNames.join(', ')}) values ${Array.from({ length: together }, () => `(${columnNames.map(() => '?').join(', ')})`).join(', ')}`
const newest = `from bench_artifacts where app_name = ? and user_id = ? and session_id = ? and name = ?`
const save = `insert into bench_artifacts select ?, ?, ?, ?, coalesce((select max(version) + 1 ${newest}), 0), ?`
const load = `select bytes ${newest} order by version desc limit 1`
const search = `select id, text, match (text) against (? in boolean mode) as score from bench_memories
  where app_name = ? and user_id = ? and match (text) against (? in boolean mode) order by score desc, id desc limit ?`

/** MySQL tells the driver what a column is, and the driver makes a whole number anew for it, at ten times the cost of its text. */
const boundBy = {
  mariadb: (cell: Cell): Cell => cell,
  mysql: (cell: Cell): Cell => (typeof cell === 'number' ? String(cell) : cell),
}

export const mysqlAreas = (
  pool: Pool,
  flavour: keyof typeof boundBy,
): Required<Pick<Contender, 'artifacts' | 'memories' | 'record'>> => ({
  async record(rows) {
    const connection = await pool.getConnection()
    try {
      await connection.beginTransaction()
      for (let i = 0; i < rows.length; i += together)
        await connection.execute(
          insertRows,
          rows
            .slice(i, i + together)
            .flatMap(cellsOf)
            .map(boundBy[flavour]),
        )
      await connection.commit()
    } finally {
      connection.release()
    }
  },
  artifacts: {
    async save({ appName, userId, sessionId }, name, bytes) {
      const key = [appName, userId, sessionId, name]
      await pool.execute(save, [...key, ...key, Buffer.from(bytes)])
    },
    async load({ appName, userId, sessionId }, name) {
      const [[row]] = await pool.execute<RowDataPacket[]>(load, [appName, userId, sessionId, name])
      return (row?.['bytes'] as Uint8Array | undefined)?.byteLength ?? 0 // as the statement says
    },
  },
  memories: {
    async add({ appName, userId }, texts) {
      const rows = texts.map((text) => [appName, userId, text])
      await pool.query('insert into bench_memories (app_name, user_id, text) values ?', [rows])
    },
    async search({ appName, userId }, query, most) {
      const [rows] = await pool.execute<RowDataPacket[]>(search, [query, appName, userId, query, String(most)])
      return rows.length
    },
  },
})
