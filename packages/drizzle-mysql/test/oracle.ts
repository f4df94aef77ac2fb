import type { HeldLock, Oracle, SentStatement, StatementPlan } from '@daybook/conformance'
import type { SessionKey } from '@daybook/core'
import { checksumOf } from '@daybook/drizzle'
import { createConnection, type Pool, type PoolConnection, type RowDataPacket } from 'mysql2/promise'
import { schemaOracle } from '../../drizzle/test/schema-oracle.ts'
import { seedStatements } from '../../drizzle/test/seed.ts'
import { migrating } from '../src/migrate.ts'
import { introspected } from './introspection.ts'

const areas = {
  sessions: 'daybook_sessions',
  events: 'daybook_events',
  appStates: 'daybook_app_states',
  userStates: 'daybook_user_states',
  artifacts: 'daybook_artifacts',
  artifactVersions: 'daybook_artifact_versions',
  artifactChunks: 'daybook_artifact_chunks',
  memories: 'daybook_memories',
  metrics: 'daybook_metrics',
}

/** A second reader of a database, which also tries what the server does. */
export function oracleOf(pool: Pool): Oracle {
  const ask = async (query: string) => (await pool.query<RowDataPacket[]>(query))[0]
  return {
    async count(area, appName) {
      const where =
        area === 'events'
          ? 'sid in (select sid from daybook_sessions where app_name = ?)'
          : area === 'artifactVersions'
            ? 'aid in (select aid from daybook_artifacts where app_name = ?)'
            : 'app_name = ?'
      const [rows] = await pool.query<RowDataPacket[]>(`select count(*) as n from ${areas[area]} where ${where}`, [
        appName,
      ])
      return Number(rows[0]?.['n'])
    },
    async orphan() {
      const columns = 'seq, event_id, invocation_id, author, branch, error_code, timestamp, payload'
      const copy = `insert into daybook_events (sid, ${columns}) select 2000000000, ${columns} from daybook_events limit 1`
      return (await rolledBack(pool, (connection) => connection.query(copy))) === 1452
    },
    async damageArtifacts(appName) {
      const zeros = 'repeat(char(0), length(bytes))'
      await pool.query(`update daybook_artifact_chunks set bytes = ${zeros} where app_name = ?`, [appName])
    },
    async strayWords() {
      const [row] = await ask(
        'select count(*) as n from daybook_memory_words where mid not in (select mid from daybook_memories)',
      )
      return Number(row?.['n'])
    },
    plan: (statement) => planOf(pool, statement),
    async seed(seed) {
      const spelling = { table: (name: string) => `daybook_${name}`, json: (text: string) => text }
      for (const statement of seedStatements(seed, spelling)) await pool.query(statement)
      await pool.query('analyze table daybook_sessions, daybook_events, daybook_artifacts, daybook_artifact_versions')
    },
    recount: async (area) => void (await pool.query(`analyze table ${areas[area]}`)),
    async internalKeys(appName) {
      const sids = 'select sid as id from daybook_sessions where app_name = ?'
      const aids = 'select aid from daybook_artifacts where app_name = ?'
      const uploads =
        'select v.upload_id from daybook_artifact_versions v join daybook_artifacts a on a.aid = v.aid where a.app_name = ?'
      const all = `${sids} union all ${aids} union all ${uploads}`
      const [rows] = await pool.query<RowDataPacket[]>(all, [appName, appName, appName])
      return rows.map((row) => String(row['id']))
    },
    async schema() {
      const views = await ask(
        'select table_name, view_definition from information_schema.views where table_schema = database()',
      )
      const lines = [...Object.values(await introspected({ rows: ask })).flat(), ...views]
      const [place] = await ask('select database() as name')
      return lines.map((line) => JSON.stringify(line).replaceAll(String(place?.['name']), '')).toSorted()
    },
    ...schemaOracle({
      run: async (text) => (await pool.query<RowDataPacket[]>(text))[0],
      named: (name) => `\`${name}\``,
      dropIndex: (index, table) => `drop index ${index} on ${table}`,
    }),
    async halfMigrated() {
      const [server] = await ask('select version() as version')
      const { migrations, named } = migrating({}, /mariadb/i.test(String(server?.['version'])) ? 'mariadb' : 'mysql')
      const [first] = migrations
      if (first === undefined) throw new Error('there is no migration')
      const [history = '', sessions = ''] = named(first)
      await pool.query(history)
      await pool.query('insert into daybook_migrations set ?', [
        { id: first.id, name: first.name, checksum: checksumOf(first), applied_at: 0, version: '0.0.0' },
      ])
      await pool.query(sessions)
    },
    columns: { body: /`payload`/, state: /`(initial_)?state`/ },
    tries: {
      skipLocked: async () => {
        const select = 'select 1 from daybook_sessions for update skip locked'
        return (await rolledBack(pool, (connection) => connection.query(select))) === undefined ? 'yes' : 'no'
      },
      windowFunctions: async () => {
        const select = 'select row_number() over ()'
        return (await rolledBack(pool, (connection) => connection.query(select))) === undefined ? 'yes' : 'no'
      },
      async transactionalDdl() {
        await rolledBack(pool, (connection) => connection.query('create table tried (a int)'))
        const [found] = await pool.query<RowDataPacket[]>(`show tables like 'tried'`)
        await pool.query('drop table if exists tried')
        return found.length === 0 ? 'yes' : 'no'
      },
    },
  }
}

/** Number of the error that the body ran into, or `undefined`; its transaction is rolled back either way. */
async function rolledBack(
  pool: Pool,
  body: (connection: PoolConnection) => Promise<unknown>,
): Promise<number | undefined> {
  const connection = await pool.getConnection()
  try {
    await connection.beginTransaction()
    await body(connection)
    return undefined
  } catch (error) {
    const { errno } = error as { errno?: number } // of the driver's errors
    if (errno === undefined) throw error
    return errno
  } finally {
    await connection.rollback()
    connection.release()
  }
}

/** Another connection that holds the row of a session. */
export async function holdSession(url: string, { appName, userId, sessionId }: SessionKey): Promise<HeldLock> {
  const connection = await createConnection({ uri: url, charset: 'utf8mb4' })
  await connection.beginTransaction()
  const [held] = await connection.query<RowDataPacket[]>(
    'select 1 from daybook_sessions where app_name = ? and user_id = ? and session_id = ? for update',
    [appName, userId, sessionId],
  )
  if (held.length !== 1) throw new Error('there is no session to hold')
  return {
    async release() {
      await connection.rollback()
      await connection.end()
    },
  }
}

/** A SELECT is run, and the server counts the rows that it reads; a change cannot be made twice. */
async function planOf(pool: Pool, { text, values }: SentStatement): Promise<StatementPlan> {
  const isRead = /^\s*select/i.test(text)
  let found: readonly RowDataPacket[] = []
  let rows: number | undefined
  await rolledBack(pool, async (connection) => {
    ;[found] = await connection.query<RowDataPacket[]>(`explain /*!80019 format=traditional */ ${text}`, [...values])
    if (!isRead) return
    const before = await rowsRead(connection)
    await connection.query(text, [...values])
    rows = (await rowsRead(connection)) - before
  })
  const ours = found.filter((row) => String(row['table']).startsWith('daybook_') && row['select_type'] !== 'INSERT')
  return {
    scans: ours
      .filter(({ type }) => type === 'ALL' || type === 'index')
      .map((row) => ({ table: String(row['table']), rows: Number(row['rows']) })),
    indexes: [...new Set(ours.flatMap(({ key }) => (typeof key === 'string' ? [key] : [])))].toSorted(),
    ...(rows !== undefined && { rows }),
  }
}

async function rowsRead(connection: PoolConnection): Promise<number> {
  const [counters] = await connection.query<RowDataPacket[]>(`show session status like 'Handler_read%'`)
  return counters.reduce((sum, counter) => sum + Number(counter['Value']), 0)
}

/** A trigger of the application refuses every event, with an error of its own. */
export async function refuseEvents(pool: Pool): Promise<HeldLock> {
  await pool.query(
    `create trigger refusal before insert on daybook_events for each row signal sqlstate '45000' set message_text = 'the application refuses it'`,
  )
  return { release: async () => void (await pool.query('drop trigger refusal')) }
}
