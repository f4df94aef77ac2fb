import type { HeldLock, Oracle, SentStatement, StatementPlan } from '@daybook/conformance'
import type { SessionKey } from '@daybook/core'
import type { Sql, TransactionSql } from 'postgres'
import { seedStatements } from '../../drizzle/test/seed.ts'
import { connect } from './server.ts'

const areas = {
  sessions: 'daybook_sessions',
  events: 'daybook_events',
  appStates: 'daybook_app_states',
  userStates: 'daybook_user_states',
}

/** A second reader of a schema, which also tries what the database does. */
export function oracleOf(admin: Sql, schema: string): Oracle {
  const table = (name: string) => `"${schema}".daybook_${name}`
  return {
    async count(area, appName) {
      const sessions = admin`select sid from ${admin(schema)}.${admin(areas.sessions)} where app_name = ${appName}`
      const where = area === 'events' ? admin`sid in (${sessions})` : admin`app_name = ${appName}`
      const [row] = await admin`select count(*)::int as n from ${admin(schema)}.${admin(areas[area])} where ${where}`
      return Number(row?.['n'])
    },
    async orphan() {
      const events = admin`${admin(schema)}.${admin(areas.events)}`
      const copied = async (tx: TransactionSql) => {
        const { count } =
          await tx`insert into ${events} select (jsonb_populate_record(e, '{"sid": 2000000000}')).* from ${events} e limit 1`
        if (count !== 1) throw new Error('there is no event to copy')
      }
      return (await rolledBack(admin, copied)) === '23503'
    },
    plan: (statement) => planOf(admin, statement),
    async seed(seed) {
      for (const statement of seedStatements(seed, { table, json: (text) => `(${text})::json` }))
        await admin.unsafe(statement)
      await admin.unsafe(`analyze ${table('sessions')}; analyze ${table('events')}`)
    },
    internalKeys: async (appName) =>
      (
        await admin`select sid::text as sid from ${admin(schema)}.${admin(areas.sessions)} where app_name = ${appName}`
      ).map((row) => String(row['sid'])),
    columns: { body: /"payload"/, state: /"(initial_)?state"/ },
    tries: {
      skipLocked: async () => {
        const sessions = admin`${admin(schema)}.${admin(areas.sessions)}`
        return (await rolledBack(admin, (tx) => tx`select 1 from ${sessions} for update skip locked`)) === undefined
          ? 'yes'
          : 'no'
      },
      windowFunctions: async () =>
        (await rolledBack(admin, (tx) => tx`select row_number() over ()`)) === undefined ? 'yes' : 'no',
      async transactionalDdl() {
        await rolledBack(admin, (tx) => tx`create table ${admin(schema)}.tried (a int)`)
        const [row] = await admin`select to_regclass(${`${schema}.tried`}) as found`
        return row?.['found'] === null ? 'yes' : 'no'
      },
    },
  }
}

class Rollback extends Error {}

/** SQLSTATE of what the body ran into, or `undefined`; its transaction is rolled back either way. */
async function rolledBack(admin: Sql, body: (tx: TransactionSql) => Promise<unknown>): Promise<string | undefined> {
  try {
    await admin.begin(async (tx) => {
      await body(tx)
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

/** A SELECT is run, and says how many rows it read; a change cannot be made twice, so of that there are estimates alone. */
async function planOf(admin: Sql, { text, values }: SentStatement): Promise<StatementPlan> {
  const isRead = /^\s*select/i.test(text)
  let plan: PlanNode | undefined
  await rolledBack(admin, async (tx) => {
    const [row] = await tx.unsafe<{ 'QUERY PLAN': readonly [{ Plan: PlanNode }] }[]>(
      `explain (${isRead ? 'analyze, ' : ''}format json) ${text}`,
      values as string[], // as the store sent them
    )
    plan = row?.['QUERY PLAN'][0].Plan
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
