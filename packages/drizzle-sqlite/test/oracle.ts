import type { HeldLock, Oracle, SentStatement, StatementPlan } from '@daybook/conformance'
import type { Value } from '@daybook/drizzle'
import { createClient } from '@libsql/client'
import { schemaOracle } from '../../drizzle/test/schema-oracle.ts'
import { seedStatements } from '../../drizzle/test/seed.ts'
import { ask, askClient, betterDatabase, type OpenArgs, type Row } from './drivers.ts'
import { startChild } from './processes.ts'

/** A connection beside every store. */
interface Beside {
  rows(text: string, values?: readonly Value[]): Promise<readonly Row[]>
  /** Several statements on one connection. */
  script(text: string): Promise<void>
  /** Has the planner count the rows of a table. */
  analyze(table: string): Promise<void>
}

export const besideFile = ({ driver, path }: OpenArgs): Beside => ({
  rows: (text, values) => ask(driver, path, text, values),
  async script(text) {
    if (driver !== 'better-sqlite3') return besideUrl(`file:${path}`).script(text)
    const database = await betterDatabase(path)
    database.exec(text)
    database.close()
  },
  analyze: async (table) => void (await ask(driver, path, `analyze ${table}`)),
})

export const besideUrl = (url: string): Beside => ({
  rows: (text, values) => askClient(url, text, values),
  async script(text) {
    const client = createClient({ url, timeout: 5_000 })
    await client.executeMultiple(text)
    client.close()
  },
  // A libSQL server knows no such statement.
  analyze: async () => {},
})

const countStatements: Record<Parameters<Oracle['count']>[0], string> = {
  sessions: 'select count(*) as "n" from daybook_sessions where app_name = ?',
  // From the events on, so that one without its session shows.
  events: `select count(*) as "n" from daybook_events e left join daybook_sessions s on s.sid = e.sid where s.app_name = ? or s.sid is null`,
  appStates: 'select count(*) as "n" from daybook_app_states where app_name = ?',
  userStates: 'select count(*) as "n" from daybook_user_states where app_name = ?',
  artifacts: 'select count(*) as "n" from daybook_artifacts where app_name = ?',
  // Likewise one without its name.
  artifactVersions: `select count(*) as "n" from daybook_artifact_versions v left join daybook_artifacts a on a.aid = v.aid where a.app_name = ? or a.aid is null`,
  artifactChunks: 'select count(*) as "n" from daybook_artifact_chunks where app_name = ?',
  memories: 'select count(*) as "n" from daybook_memories where app_name = ?',
  metrics: 'select count(*) as "n" from daybook_metrics where app_name = ?',
}

const strayWords =
  'select count(*) as "n" from daybook_memory_words where mid not in (select mid from daybook_memories)'

const orphan = `insert into daybook_events (sid, seq, event_id, timestamp, payload) values (2000000000, 1, 'orphan', 0, '{}')`

/** A second reader, which also tries what the database does. */
export function oracleOf(beside: Beside): Oracle {
  const rows: Beside['rows'] = (text, values) => beside.rows(text, values)
  const takes = async (text: string) =>
    rows(text).then(
      () => 'yes' as const,
      () => 'no' as const,
    )
  return {
    count: async (area, appName) => Number((await rows(countStatements[area], [appName]))[0]?.['n']),
    async orphan() {
      try {
        await rows(orphan)
      } catch (error) {
        if (!/foreign key/i.test(String(error))) throw error
        return true
      }
      await rows('delete from daybook_events where sid = 2000000000')
      return false
    },
    async damageArtifacts(appName) {
      await rows('update daybook_artifact_chunks set bytes = zeroblob(length(bytes)) where app_name = ?', [appName])
    },
    strayWords: async () => Number((await rows(strayWords))[0]?.['n']),
    plan: (statement) => planOf(beside, statement),
    async seed(seed) {
      const spelling = { table: (name: string) => `daybook_${name}`, json: (text: string) => text }
      await beside.script(`begin; ${seedStatements(seed, spelling).join(';\n')}; commit;`)
      // Those that it filled alone: of one that others fill later a count would say that it is nearly empty.
      for (const name of ['sessions', 'events', 'artifacts', 'artifact_versions'])
        await beside.analyze(`daybook_${name}`)
    },
    internalKeys: async (appName) =>
      (
        await rows(
          `select sid as "key" from daybook_sessions where app_name = ? union all select aid from daybook_artifacts where app_name = ?
            union all select upload_id from daybook_artifact_versions join daybook_artifacts using (aid) where app_name = ?`,
          [appName, appName, appName],
        )
      ).map((row) => String(row['key'])),
    schema: async () =>
      (await rows(`select type, name, tbl_name, sql from sqlite_master where name not like 'sqlite_%'`))
        .map((line) => JSON.stringify(line))
        .toSorted(),
    ...schemaOracle({ run: rows, named: (name) => `"${name}"`, dropIndex: (index) => `drop index "${index}"` }),
    columns: { body: /"payload"/, state: /"(initial_)?state"/ },
    tries: {
      skipLocked: () => takes('select 1 from daybook_sessions for update skip locked'),
      windowFunctions: () => takes('select row_number() over () as n'),
      async transactionalDdl() {
        await beside.script('begin; create table tried (a int); rollback;')
        return (await rows(`select 1 from sqlite_master where name = 'tried'`)).length === 0 ? 'yes' : 'no'
      },
    },
  }
}

/** Another process that holds the one lock which writers of a file take. */
export async function holdFile(path: string): Promise<HeldLock> {
  const child = startChild()
  await child.call('hold', path)
  return {
    async release() {
      await child.call('release')
      await child.kill()
    },
  }
}

/** Another connection that writes to a server, and has not ended. */
export async function holdServer(url: string): Promise<HeldLock> {
  const client = createClient({ url, timeout: 5_000 })
  const held = await client.transaction('write')
  await held.execute('select 1') // over HTTP it begins with its first statement
  return {
    async release() {
      await held.rollback().catch(() => {}) // when another writer had to wait, the server has ended it
      client.close()
    },
  }
}

/** SQLite tells the way and not the rows. */
async function planOf(beside: Beside, { text, values }: SentStatement): Promise<StatementPlan> {
  const lines = await beside.rows(`explain query plan ${text}`, values as readonly Value[]) // as the store sent them
  const details = lines.map((line) => String(line['detail']))
  const scanned = details.flatMap((detail) => /^SCAN (daybook_\w+)/.exec(detail)?.[1] ?? [])
  const scans: { table: string; rows: number }[] = []
  for (const table of scanned)
    scans.push({ table, rows: Number((await beside.rows(`select count(*) as "n" from ${table}`))[0]?.['n']) })
  return {
    scans,
    sorts: details.includes('USE TEMP B-TREE FOR ORDER BY'),
    indexes: details.flatMap((detail) => /^SEARCH .* USING (?:COVERING )?(.+) \(/.exec(detail)?.[1] ?? []),
  }
}
