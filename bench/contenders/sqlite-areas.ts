// The limit of artifacts, memories and metrics on SQLite: a table each, and FTS5.
import type Database from 'better-sqlite3'
import type { NewMetric } from '@daybook/core'
import type { Contender } from '../contender.ts'
import { cellsOf, columnNames } from './metric-columns.ts'

const tables = `create table bench_artifacts (app_name text, user_id text, session_id text, name text, version integer, bytes blob, primary key (app_name, user_id, session_id, name, version));
  create virtual table bench_memories using fts5 (text, app_name unindexed, user_id unindexed)`
const newest = `from bench_artifacts where app_name = ? and user_id = ? and session_id = ? and name = ?`

export function sqliteAreas(db: Database.Database): Required<Pick<Contender, 'artifacts' | 'memories' | 'record'>> {
  db.exec(tables)
  const save = db.prepare(
    `insert into bench_artifacts select ?, ?, ?, ?, coalesce((select max(version) + 1 ${newest}), 0), ?`,
  )
  const load = db.prepare(`select bytes ${newest} order by version desc limit 1`).pluck()
  const insert = db.prepare('insert into bench_memories (text, app_name, user_id) values (?, ?, ?)')
  const add = db.transaction((appName: string, userId: string, texts: readonly string[]) => {
    for (const text of texts) insert.run(text, appName, userId)
  })
  const search = db.prepare(
    `select rowid, text, rank from bench_memories where bench_memories match ? and app_name = ? and user_id = ? order by rank, rowid desc limit ?`,
  )
  const insertRow = db.prepare(
    `insert into daybook_metrics (${columnNames.join(', ')}) values (${columnNames.map(() => '?').join(', ')})`,
  )
  const record = db.transaction((rows: readonly NewMetric[]) => {
    for (const row of rows) insertRow.run(...cellsOf(row))
  })
  return {
    async record(rows) {
      record.immediate(rows)
    },
    artifacts: {
      async save({ appName, userId, sessionId }, name, bytes) {
        const key = [appName, userId, sessionId, name]
        save.run(...key, ...key, bytes)
      },
      load: async ({ appName, userId, sessionId }, name) =>
        (load.get(appName, userId, sessionId, name) as Uint8Array).byteLength, // as the statement says
    },
    memories: {
      async add({ appName, userId }, texts) {
        add.immediate(appName, userId, texts)
      },
      search: async ({ appName, userId }, query, most) =>
        search.all(query.split(' ').join(' OR '), appName, userId, most).length,
    },
  }
}
