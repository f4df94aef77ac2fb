// The limit on SQLite: better-sqlite3 with cached statements, each operation one synchronous script; and what @libsql/client bears.
import { createClient, type Client, type InStatement, type InValue, type Row as ClientRow } from '@libsql/client'
import Database from 'better-sqlite3'
import type { Append, Contender, Entry, Key } from '../contender.ts'
import type { BenchEvent, JsonObject } from '../data.ts'
import { deltaOf } from './delta.ts'
import { merged } from './merged.ts'
import { sqliteAreas } from './sqlite-areas.ts'
import * as sql from './sqlite-sql.ts'
import { makeTables, sqliteBulk } from './sqlite-tables.ts'

interface Row {
  readonly state: string
  readonly user: string | null
  readonly app: string | null
  readonly revision: number
  readonly seq: number
  readonly events: string | null
}

const micros = (ms: number) => Math.round(ms * 1000)
const parsed = (text: string | null) => (text === null ? null : (JSON.parse(text) as JsonObject)) // what the store wrote
const viewOf = ({ state, user, app }: Row) => merged(JSON.parse(state) as JsonObject, parsed(user), parsed(app)) // as above

function loadedOf(row: Row | undefined) {
  if (row === undefined) throw new Error('the session is missing')
  return { state: viewOf(row), events: JSON.parse(`[${row.events ?? ''}]`) as { readonly id: string }[] } // as above
}

const keyOf = ({ appName, userId, sessionId }: Key) => [appName, userId, sessionId]
const eventOf = (event: BenchEvent) => [
  event.id,
  event.invocationId,
  event.author,
  micros(event.timestamp),
  JSON.stringify(event),
]

function betterSqlite3(path: string, synchronous: 'FULL' | 'NORMAL'): Contender {
  const db = new Database(path)
  db.pragma('journal_mode = WAL')
  db.pragma(`synchronous = ${synchronous}`)
  db.pragma('foreign_keys = ON')
  const statements = new Map<string, Database.Statement>()
  function prepared(text: string): Database.Statement {
    const known = statements.get(text)
    if (known !== undefined) return known
    const statement = db.prepare(text)
    statements.set(text, statement)
    return statement
  }
  const append = db.transaction((key: readonly string[], event: BenchEvent) => {
    const { session, user } = deltaOf(event)
    const [at, now] = [micros(event.timestamp), micros(Date.now())]
    const row = prepared(sql.updateSession(session.length)).get(...sql.pairsOf(session), now, at, ...key) as
      | Row
      | undefined // as the statement says
    if (row === undefined) throw new Error('the session is missing')
    if (user.length > 0) {
      const pairs = sql.pairsOf(user)
      prepared(sql.upsertUser(user.length)).run(...pairs, now, ...key, ...pairs)
    }
    prepared(sql.insertEvent).run(...eventOf(event), ...key)
    return { seq: row.seq, revision: row.revision }
  })
  return {
    ...sqliteBulk(
      (text, args) => void db.prepare(text).run(...args),
      (text) => db.prepare(text).all(),
    ),
    ...sqliteAreas(db),
    async create(key, state) {
      const [json, now] = [JSON.stringify(state), micros(Date.now())]
      const row = prepared(sql.createSession).get(...keyOf(key), json, json, now, now, now) as Row // as the statement says
      return merged(state, parsed(row.user), parsed(row.app))
    },
    async writer(key) {
      const parts = keyOf(key)
      return async (event) => append.immediate(parts, event)
    },
    load: async (key, last) => loadedOf(prepared(sql.loadSession).get(last, ...keyOf(key)) as Row | undefined), // as the statement says
    async list({ appName, userId }, most, withState) {
      const rows = prepared(withState ? sql.listWithState : sql.listSessions).all(appName, userId, most) as Row[] // as the statement says
      return rows.map((row) => (withState ? { ...row, state: viewOf(row) } : row)).length
    },
    async close() {
      db.close()
    },
  }
}

async function libsqlClient(path: string): Promise<Contender> {
  const client = createClient({ url: `file:${path}` })
  await client.execute('pragma journal_mode = wal')
  const first = async (text: string, args: InValue[]): Promise<Row | undefined> =>
    rowOf((await client.execute({ sql: text, args })).rows)
  return {
    ...sqliteBulk(
      async (text, args) => void (await client.execute({ sql: text, args })),
      async (text) => (await client.execute(text)).rows,
    ),
    async create(key, state) {
      const [json, now] = [JSON.stringify(state), micros(Date.now())]
      const row = await first(sql.createSession, [...keyOf(key), json, json, now, now, now])
      return merged(state, parsed(row?.user ?? null), parsed(row?.app ?? null))
    },
    writer: async (key) => clientWriter(client, keyOf(key)),
    load: async (key, last) => loadedOf(await first(sql.loadSession, [last, ...keyOf(key)])),
    async list({ appName, userId }, most, withState) {
      const statement = { sql: withState ? sql.listWithState : sql.listSessions, args: [appName, userId, most] }
      const { rows } = await client.execute(statement)
      return rows.map((row) => {
        const known = row as unknown as Row // as the statement says
        return withState ? { ...known, state: viewOf(known) } : known
      }).length
    },
    async close() {
      client.close()
    },
  }
}

const rowOf = ([row]: readonly ClientRow[]) => row as unknown as Row | undefined // as the statements say

const clientWriter =
  (client: Client, key: readonly string[]): Append =>
  async (event) => {
    const { session, user } = deltaOf(event)
    const [at, now] = [micros(event.timestamp), micros(Date.now())]
    const batch: InStatement[] = [
      { sql: sql.updateSession(session.length), args: [...sql.pairsOf(session), now, at, ...key] },
      { sql: sql.insertEvent, args: [...eventOf(event), ...key] },
    ]
    if (user.length > 0) {
      const pairs = sql.pairsOf(user)
      batch.push({ sql: sql.upsertUser(user.length), args: [...pairs, now, ...key, ...pairs] })
    }
    const [result] = await client.batch(batch, 'write')
    const row = rowOf(result?.rows ?? [])
    if (row === undefined) throw new Error('the session is missing')
    return { seq: row.seq, revision: row.revision }
  }

export const sqliteLimits: readonly Entry[] = [
  {
    name: 'limit',
    driver: 'better-sqlite3',
    async open({ url }) {
      await makeTables(url)
      return betterSqlite3(url, 'FULL')
    },
  },
  {
    name: 'limit-libsql-client',
    driver: '@libsql/client',
    async open({ url }) {
      await makeTables(url)
      return libsqlClient(url)
    },
  },
  {
    name: 'limit-normal',
    driver: 'better-sqlite3',
    lacks: 'synchronous=NORMAL: the last commits can vanish with the power',
    async open({ url }) {
      await makeTables(url)
      return betterSqlite3(url, 'NORMAL')
    },
  },
]
