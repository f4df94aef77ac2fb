import { byteLength } from '@daybook/core'
import { insertInto, param, selected, type NewSession, type Params, type Statement } from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { isEmpty, shapedDeltas, shapeOf, type Shape, type Shaped } from './append-shape.ts'
import { scopePart, words } from './append.ts'
import type { DaybookTables } from './schema.ts'

// As an append: a block on MariaDB, and on MySQL one INSERT, which is a transaction by itself; what the session sees of its
// user's and its app's state is read before it, and where it is to change them the script does it. A key that exists is an
// error, which undoes all of it.

/** @param packet bytes of the largest statement; `undefined`: it has to go the long way */
export function shapedSession(session: NewSession, packet: number): Shaped | undefined {
  const { key, state, initialState, createdAt, now, compactMark } = session
  const changes = shapedDeltas(session)
  if (changes === undefined) return undefined
  const { sets, unsets, bytes } = changes
  if (bytes + byteLength(state) + byteLength(initialState) + 256 * 1024 > packet) return undefined
  const { appName, userId, sessionId } = key
  const params: Params = { appName, userId, sessionId, state, initialState, createdAt, now, ...changes.params }
  const shape: Shape = {
    sets,
    unsets,
    hasMany: false,
    hasRevision: false,
    hasLease: false,
    hasMark: compactMark !== undefined && sets.user + sets.app > 0,
    isJoint: false,
    hasStates: false,
  }
  return {
    variant: JSON.stringify(shape),
    params: shape.hasMark && compactMark !== undefined ? { ...params, compactMark } : params,
  }
}

/** Whether it changes no state besides its own. */
export const isAlone = ({ variant }: Shaped): boolean => {
  const shape = shapeOf(variant)
  return isEmpty(shape, 'user') && isEmpty(shape, 'app')
}

export const buildInsert = ({ sessions }: DaybookTables): Statement => ({
  sql: insertInto(sessions, {
    appName: param('appName'),
    userId: param('userId'),
    sessionId: param('sessionId'),
    state: param('state'),
    initialState: param('initialState'),
    revision: sql`1`,
    lastSeq: sql`0`,
    createdAt: param('createdAt'),
    updatedAt: param('now'),
    lastEventAt: param('createdAt'),
  }),
})

/** What a session sees besides its own state. */
export const buildStates = ({ userStates, appStates }: DaybookTables): Statement => ({
  sql: sql`select ${selected({
    userState: sql`(select cast(${userStates.state} as char) from ${userStates} where ${userStates.appName} = ${param('appName')} and ${userStates.userId} = ${param('userId')})`,
    appState: sql`(select cast(${appStates.state} as char) from ${appStates} where ${appStates.appName} = ${param('appName')})`,
  })}`,
})

/** MariaDB: the whole transaction, and what the session sees. */
export function buildSessionBlock(tables: DaybookTables, variant: string): Statement {
  const shape = shapeOf(variant)
  const part = (scope: 'user' | 'app') => scopePart(tables, scope, shape, words.mariadb)
  return {
    sql: sql`begin not atomic
  declare exit handler for sqlexception begin rollback; resignal; end;
  set transaction isolation level read committed;
  start transaction;
  ${buildInsert(tables).sql};
  ${part('user')}${part('app')}${buildStates(tables).sql};
  commit;
end`,
  }
}
