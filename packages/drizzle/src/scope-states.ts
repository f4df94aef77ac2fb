import {
  checkStateBytes,
  fromMicros,
  staleState,
  StoreError,
  toMicros,
  type JsonObject,
  type Limits,
  type Logger,
  type StateKey,
} from '@daybook/core'
import { sql, type Column, type Table } from 'drizzle-orm'
import type { Dialect, Params, Row, Tx } from './dialect.ts'
import type { Script } from './script.ts'
import { assigned, param, selected } from './statements.ts'
import type { StoredForm } from './stored-form.ts'

/** State of an app or of a user, as it is now. */
interface ScopeState {
  readonly state: JsonObject
  readonly revision: number
  readonly updatedAt: number
}

interface ScopeChange {
  readonly key: StateKey
  /** The new document out of the present one. */
  readonly change: (state: JsonObject) => JsonObject
  readonly expectedRevision?: number | undefined
  readonly now: bigint
  readonly limits: Limits
  readonly logger: Logger | undefined
}

export interface ScopeStates {
  get(tx: Tx, key: StateKey): Script<ScopeState | undefined>
  /** Changes the document under its row's lock; the first change makes the row. */
  update(tx: Tx, change: ScopeChange): Script<ScopeState>
  /** Whether there was one. */
  delete(tx: Tx, key: StateKey): Script<boolean>
}

export function createScopeStates(
  dialect: Dialect,
  form: StoredForm,
): { readonly app: ScopeStates; readonly user: ScopeStates } {
  const { appStates, userStates } = dialect.tables
  return {
    app: scopeStates(dialect, form, appStates, { appName: appStates.appName }),
    user: scopeStates(dialect, form, userStates, { appName: userStates.appName, userId: userStates.userId }),
  }
}

type StateTable = Dialect['tables']['appStates']

function scopeStates(
  { expressions }: Dialect,
  form: StoredForm,
  table: StateTable & Table,
  key: Readonly<Record<string, Column>>,
): ScopeStates {
  const isKey = sql.join(
    Object.entries(key).map(([name, column]) => sql`${column} = ${param(name)}`),
    sql` and `,
  )
  const row = sql`select ${selected({
    state: expressions.jsonText(table.state),
    revision: table.revision,
    updatedAt: expressions.wholeText(table.updatedAt),
  })} from ${table} where ${isKey}`
  const byKey = { sql: row }
  const lockByKey = { sql: sql`${row}${expressions.forUpdate}` }
  const first = {
    into: table,
    target: Object.values(key),
    values: {
      ...Object.fromEntries(Object.keys(key).map((name) => [name, param(name)])),
      state: expressions.json(param('state')),
      revision: sql`0`,
      updatedAt: param('now'),
    },
  }
  const put = {
    sql: sql`update ${table} set ${assigned([
      [table.state, expressions.json(param('state'))],
      [table.revision, param('revision')],
      [table.updatedAt, param('updatedAt')],
    ])} where ${isKey}`,
  }
  const remove = { sql: sql`delete from ${table} where ${isKey}` }

  /** A row that was there may be erased before it is locked; then there is none, and it is made anew. */
  function* lockedRow(tx: Tx, params: Params, now: bigint): Script<Row> {
    for (let tries = 0; tries < 20; tries++) {
      yield* tx.ensure(first, { ...params, state: '{}', now })
      const [locked] = yield* tx.rows(lockByKey, params)
      if (locked !== undefined) return locked
    }
    throw new StoreError('busy', 'a state was erased each time before it could be locked')
  }

  const scopeStateOf = (found: Row, scope: StateKey): ScopeState => ({
    state: form.stateOf(found['state'], scope),
    revision: Number(found['revision']),
    updatedAt: fromMicros(String(found['updatedAt'])),
  })

  return {
    *get(tx, scope) {
      const [found] = yield* tx.rows(byKey, keyParams(scope))
      return found === undefined ? undefined : scopeStateOf(found, scope)
    },
    *update(tx, { key: scope, change, expectedRevision, now, limits, logger }) {
      const params = keyParams(scope)
      const locked = yield* lockedRow(tx, params, now)
      const current = scopeStateOf(locked, scope)
      if (expectedRevision !== undefined && expectedRevision !== current.revision)
        throw staleState(scope, current.revision, expectedRevision)
      const state = change(current.state)
      checkStateBytes(state, 'state', limits, logger)
      const stored = toMicros(current.updatedAt)
      const updatedAt = stored > now ? stored : now
      yield* tx.change(put, {
        ...params,
        state: form.state(state, scope, current.state),
        revision: current.revision + 1,
        updatedAt,
      })
      return { state, revision: current.revision + 1, updatedAt: fromMicros(updatedAt) }
    },
    *delete(tx, scope) {
      return (yield* tx.change(remove, keyParams(scope))) > 0
    },
  }
}

const keyParams = ({ appName, userId }: StateKey): Params => (userId === undefined ? { appName } : { appName, userId })
