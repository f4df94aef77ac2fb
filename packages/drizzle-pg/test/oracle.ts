import type { HeldLock, Oracle, SentStatement, StatementPlan } from '@daybook/conformance'
import type { SessionKey } from '@daybook/core'
import type { Sql, TransactionSql } from 'postgres'
import { schemaOracle } from '../../drizzle/test/schema-oracle.ts'
import { seedStatements } from '../../drizzle/test/seed.ts'
import { introspectedBy } from './introspection.ts'
import { connect } from './server.ts'

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

/** Runs a statement; whoever asks has their own way to the database. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<readonly Readonly<Record<string, unknown>>[]>

/** A way to the database beside the store's. */
export interface Access {
  readonly query: Query
  readonly begin: (body: (query: Query) => Promise<unknown>) => Promise<unknown>
}

/** Access by postgres.js. */
export const accessBy = (sql: Sql): Access => ({
  query: queryBy(sql),
  begin: (body) => sql.begin((tx) => body(queryBy(tx))),
})

const queryBy =
  (sql: Sql | TransactionSql): Query =>
  (text, values = []) =>
    sql.unsafe(text, values as string[]) // as whoever asks knows them

/** A second reader of a schema, which also tries what the database does. */
export function oracleOf(access: Access, schema: string): Oracle {
  const { query } = access
  const table = (name: string) => `"${schema}".daybook_${name}`
  let isCounted = false // by seed(): of 40,000 sessions it takes longer than all the plans
  return {
    async count(area, appName) {
      const sessions = `select sid from ${table('sessions')} where app_name = $1`
      const names = `select aid from ${table('artifacts')} where app_name = $1`
      const where =
        area === 'events' ? `sid in (${sessions})` : area === 'artifactVersions' ? `aid in (${names})` : 'app_name = $1'
      const [row] = await query(`select count(*)::int as n from "${schema}".${areas[area]} where ${where}`, [appName])
      return Number(row?.['n'])
    },
    async strayWords() {
      const text = `select count(*)::int as n from ${table('memory_words')} where mid not in (select mid from ${table('memories')})`
      return Number((await query(text))[0]?.['n'])
    },
    async orphan() {
      const events = table('events')
      const copy = `insert into ${events} select (jsonb_populate_record(e, '{"sid": 2000000000}')).* from ${events} e limit 1`
      const copied = async (ask: Query) => {
        if ((await ask(`${copy} returning 1`)).length !== 1) throw new Error('there is no event to copy')
      }
      return (await rolledBack(access, copied)) === '23503'
    },
    async damageArtifacts(appName) {
      const zeros = `decode(repeat('00', length(bytes)), 'hex')`
      await query(`update ${table('artifact_chunks')} set bytes = ${zeros} where app_name = $1`, [appName])
    },
    plan: (statement) => planOf(access, isCounted ? undefined : table('sessions'), statement),
    async seed(seed) {
      for (const statement of seedStatements(seed, { table, json: (text) => `(${text})::json` })) await query(statement)
      for (const name of ['sessions', 'events', 'artifacts', 'artifact_versions', 'artifact_chunks'])
        await query(`analyze ${table(name)}`)
      isCounted = true
    },
    recount: async (area) => void (await query(`analyze "${schema}".${areas[area]}`)),
    internalKeys: async (appName) =>
      (
        await query(
          `select sid::text as id from ${table('sessions')} where app_name = $1
          union all select aid::text from ${table('artifacts')} where app_name = $1
          union all select upload_id from ${table('artifact_versions')} join ${table('artifacts')} using (aid) where app_name = $1`,
          [appName],
        )
      ).map((row) => String(row['id'])),
    async schema() {
      const views = await query('select viewname as "view", definition from pg_views where schemaname = $1', [schema])
      const lines = [...Object.values(await introspectedBy(query, schema)).flat(), ...views]
      return lines.map((line) => JSON.stringify(line).replaceAll(schema, '')).toSorted()
    },
    ...schemaOracle({
      run: (text) => query(text),
      named: (name) => `"${schema}"."${name}"`,
      dropIndex: (index) => `drop index "${schema}"."${index}"`,
    }),
    async confine(appName) {
      const own = `app_name = '${appName.replaceAll("'", "''")}'`
      const ofEvents = `sid in (select sid from ${table('sessions')} where ${own})`
      const rows = { sessions: own, app_states: own, user_states: own, events: ofEvents }
      for (const [name, condition] of Object.entries(rows)) {
        await query(`alter table ${table(name)} enable row level security`)
        await query(`create policy own on ${table(name)} using (${condition}) with check (${condition})`)
      }
    },
    columns: { body: /"payload"/, state: /"(initial_)?state"/ },
    tries: {
      skipLocked: () => isTaken(access, `select 1 from ${table('sessions')} for update skip locked`),
      windowFunctions: () => isTaken(access, 'select row_number() over ()'),
      async transactionalDdl() {
        await rolledBack(access, (ask) => ask(`create table "${schema}".tried (a int)`))
        const [row] = await query('select to_regclass($1) as found', [`${schema}.tried`])
        return row?.['found'] === null ? 'yes' : 'no'
      },
    },
  }
}

const isTaken = async (access: Access, statement: string): Promise<'yes' | 'no'> =>
  (await rolledBack(access, (ask) => ask(statement))) === undefined ? 'yes' : 'no'

class Rollback extends Error {}

/** SQLSTATE of what the body ran into, or `undefined`; its transaction is rolled back either way. */
async function rolledBack({ begin }: Access, body: (query: Query) => Promise<unknown>): Promise<string | undefined> {
  try {
    await begin(async (query) => {
      await body(query)
      throw new Rollback()
    })
  } catch (error) {
    if (error instanceof Rollback) return undefined
    const { code } = error as { code?: string } // of the driver's errors
    if (code === undefined) throw error
    return code
  }
  return undefined
}

/** Another connection that holds the row of a session. */
export async function holdSession(schema: string, { appName, userId, sessionId }: SessionKey): Promise<HeldLock> {
  const sql = connect({ max: 1 })
  const connection = await sql.reserve()
  await connection`begin`
  const held = await connection`
    select 1 from ${connection(schema)}.${connection(areas.sessions)}
    where app_name = ${appName} and user_id = ${userId} and session_id = ${sessionId} for update`
  if (held.length !== 1) throw new Error('there is no session to hold')
  return {
    async release() {
      await connection`rollback`
      connection.release()
      await sql.end({ timeout: 5 })
    },
  }
}

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Relation Name'?: string
  readonly 'Plan Rows': number
  readonly 'Actual Rows'?: number
  readonly 'Actual Loops'?: number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

/**
 * A SELECT is run, and says how many rows it read; a change cannot be made twice, so of that there are estimates alone. Where
 * nothing was counted yet two indexes may cost the same to the planner, so it gets what it has in a database that lives.
 */
async function planOf(
  access: Access,
  uncounted: string | undefined,
  { text, values }: SentStatement,
): Promise<StatementPlan> {
  const isRead = /^\s*select/i.test(text)
  let plan: PlanNode | undefined
  await rolledBack(access, async (query) => {
    if (uncounted !== undefined) await query(`analyze ${uncounted}`)
    const [row] = await query(`explain (${isRead ? 'analyze, ' : ''}format json) ${text}`, values)
    const explained = row?.['QUERY PLAN'] as [{ Plan: PlanNode }] | undefined // what EXPLAIN answers
    plan = explained?.[0].Plan
  })
  if (plan === undefined) throw new Error(`there is no plan for ${text}`)
  const nodes = nodesOf(plan)
  const isLeaf = (node: PlanNode) => node['Relation Name'] !== undefined
  return {
    scans: nodes
      .filter((node) => node['Node Type'] === 'Seq Scan')
      .map((node) => ({ table: node['Relation Name'] ?? '', rows: rowsReadBy(node) })),
    indexes: [...new Set(nodes.flatMap((node) => node['Index Name'] ?? []))].toSorted(),
    ...(isRead && { rows: nodes.filter(isLeaf).reduce((sum, node) => sum + rowsReadBy(node), 0) }),
  }
}

const nodesOf = (node: PlanNode): PlanNode[] => [node, ...(node.Plans ?? []).flatMap((below) => nodesOf(below))]

const rowsReadBy = (node: PlanNode): number =>
  node['Actual Rows'] === undefined
    ? node['Plan Rows']
    : (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * (node['Actual Loops'] ?? 1)

/** A trigger of the application refuses every event, with a SQLSTATE of its own. */
export async function refuseEvents(admin: Sql, schema: string): Promise<HeldLock> {
  const [refusal, events] = [admin`${admin(schema)}.refusal`, admin`${admin(schema)}.${admin(areas.events)}`]
  await admin`create function ${refusal}() returns trigger language plpgsql as $$ begin raise exception 'the application refuses it' using errcode = 'ZX001'; end $$`
  await admin`create trigger refusal before insert on ${events} for each row execute function ${refusal}()`
  return {
    async release() {
      await admin`drop trigger refusal on ${events}`
      await admin`drop function ${refusal}()`
    },
  }
}
