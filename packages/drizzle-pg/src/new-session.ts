import { isEmptyDelta, param, selected, type NewSession, type Params, type Statement } from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import { deltaParams, lockTimeoutIsSet, scopePart, type Has } from './append.ts'
import { expressions } from './expressions.ts'
import type { DaybookTables } from './schema.ts'

// One statement, as an append is: the session, then the user's state, then the app's, and what the session sees of both.
// A session that is there already makes it change nothing.

export interface NewSessionStatement {
  readonly variant: string
  readonly params: Params
}

const scopes = ['user', 'app'] as const

export function newSessionStatement(session: NewSession): NewSessionStatement {
  const { key, state, initialState, deltas, createdAt, now, limits, compactMark } = session
  const { appName, userId, sessionId } = key
  const params: Record<string, Params[string]> = { appName, userId, sessionId, state, initialState, createdAt, now }
  const changed = scopes.filter((scope) => !isEmptyDelta(deltas[scope]))
  for (const scope of changed) Object.assign(params, deltaParams(scope, deltas[scope]))
  if (changed.length > 0) params['stateBytes'] = limits.stateBytes
  const marks = compactMark !== undefined && changed.length > 0
  if (marks) params['compactMark'] = compactMark
  return { variant: [...changed, ...(marks ? ['compact'] : [])].join('_'), params }
}

export function buildNewSession({ sessions, userStates, appStates }: DaybookTables, variant: string): Statement {
  const has: Has = (word) => variant.split('_').includes(word)
  const columns = [
    [sessions.appName, param('appName')],
    [sessions.userId, param('userId')],
    [sessions.sessionId, param('sessionId')],
    [sessions.state, expressions.json(param('state'))],
    [sessions.initialState, expressions.payload(param('initialState'))],
    [sessions.revision, sql`1`],
    [sessions.lastSeq, sql`0`],
    [sessions.createdAt, sql`${param('createdAt')}::bigint`],
    [sessions.updatedAt, sql`${param('now')}::bigint`],
    [sessions.lastEventAt, sql`${param('createdAt')}::bigint`],
  ] as const
  const names = sql.join(
    columns.map(([column]) => sql.identifier(column.name)),
    sql`, `,
  )
  const values = sql.join(
    columns.map(([, value]) => sql`${value}`),
    sql`, `,
  )
  const key = sql.join(
    [sessions.appName, sessions.userId, sessions.sessionId].map((column) => sql.identifier(column.name)),
    sql`, `,
  )
  const parts = [
    sql`s as (
      insert into ${sessions} (${names}) select ${values} where ${lockTimeoutIsSet}
      on conflict (${key}) do nothing returning 1)`,
  ]
  let before = sql`s`
  const seen: Record<string, SQL> = {
    userState: sql`select ${userStates.state} from ${userStates} where ${userStates.appName} = ${param('appName')} and ${userStates.userId} = ${param('userId')}`,
    appState: sql`select ${appStates.state} from ${appStates} where ${appStates.appName} = ${param('appName')}`,
  }
  const change = (scope: 'user' | 'app', table: typeof userStates | typeof appStates, part: SQL) => {
    const name = sql.identifier(scope)
    parts.push(sql`${name} as (${part})`)
    seen[`${scope}State`] = sql`select ${name}.${sql.identifier(table.state.name)} from ${name}`
    before = sql`${name}`
  }
  if (has('user')) {
    const userKey = [userStates.appName, userStates.userId]
    change('user', userStates, scopePart(userStates, userKey, 'user', before, has, sql`${userStates.state}`))
  }
  if (has('app'))
    change('app', appStates, scopePart(appStates, [appStates.appName], 'app', before, has, sql`${appStates.state}`))
  const states = Object.fromEntries(Object.entries(seen).map(([alias, state]) => [alias, sql`(${state})::text`]))
  return { sql: sql`with ${sql.join(parts, sql`, `)} select ${selected(states)} from s` }
}
