import type { SessionKey } from '@daybook/core'
import type { Layout, SourceSession, SourceState, TableCounts, TableName } from './layout.ts'
import type { Source, SourceRow, TimeColumn } from './source.ts'

/** An event by where it lies: its body is read later. */
export interface EventPlace extends SessionKey {
  readonly id: string
}

/** Rows that belong to no session, as the database to import from tells it. */
interface Stray extends SessionKey {
  readonly events: number
}

/** Reads the tables of a layout, in bounded pieces. */
export interface TableReader {
  readonly layout: Layout
  readonly time: TimeColumn
  counts(): Promise<TableCounts>
  /** The sessions after one, in the order of their key. */
  sessions(after: SessionKey | undefined, limit: number): Promise<readonly SourceSession[]>
  /** How many events each of these has, by session id. */
  eventCounts(sessions: readonly SessionKey[]): Promise<ReadonlyMap<string, number>>
  /** Where the events of these sessions lie, in no order; may be those of others besides. */
  places(sessions: readonly SessionKey[]): Promise<readonly EventPlace[]>
  /** Rows of these events; may be those of others besides, where the database takes another id for the same. */
  bodies(session: SessionKey, ids: readonly string[]): Promise<readonly SourceRow[]>
  state(session: SessionKey): Promise<string | null>
  /** All documents of users, or of apps. */
  scopeStates(scope: 'appStates' | 'userStates'): AsyncIterable<SourceState>
  /** Events whose session is not there. */
  orphans(): Promise<readonly Stray[]>
  /** Events of a session whose key is written otherwise, though the database takes it for the same. */
  folded(): Promise<readonly Stray[]>
}

export function createTableReader({ dialect, query }: Source, layout: Layout, time: TimeColumn): TableReader {
  const { name, jsonText } = dialect
  const { tables, eventsNameUsers } = layout
  const quoted = (names: readonly string[], of = '') => names.map((one) => `${of}${name(one)}`).join(', ')
  const sessionKey = ['id', 'app_name', 'user_id']
  const [sessions, events] = [name(tables.sessions), name(tables.events)]
  const sessionId = name('session_id')
  const eventKey = eventsNameUsers ? ['app_name', 'user_id', 'session_id'] : ['session_id']
  /** Of an event `e` and its session `s`, by the rules of the database. */
  const join = eventsNameUsers
    ? `e.${name('app_name')} = s.${name('app_name')} and e.${name('user_id')} = s.${name('user_id')} and e.${sessionId} = s.${name('id')}`
    : `e.${sessionId} = s.${name('id')}`
  const body = Object.entries({ id: name('id'), at: time.sql(name('timestamp')), ...layout.body(dialect) })
    .map(([alias, sql]) => `${sql} as ${name(alias)}`)
    .join(', ')

  const list = (n: number, from = 1) => Array.from({ length: n }, (_, i) => dialect.param(from + i)).join(', ')

  async function count(table: TableName): Promise<number> {
    const found = tables[table]
    if (found === undefined) return 0
    const [row] = await query(`select count(*) as ${name('n')} from ${name(found)}`, [])
    return Number(row?.['n'])
  }

  async function strays(from: string): Promise<readonly Stray[]> {
    const key = quoted(eventKey, 'e.')
    const rows = await query(`select ${key}, count(*) as ${name('n')} from ${events} e ${from} group by ${key}`, [])
    return rows.map((row) => ({
      ...keyOf({ app_name: '', user_id: '', ...row }),
      events: Number(row['n']),
    }))
  }

  return {
    layout,
    time,
    counts: async () => ({
      appStates: await count('appStates'),
      userStates: await count('userStates'),
      sessions: await count('sessions'),
      events: await count('events'),
    }),
    async sessions(after, limit) {
      const [id, ...rest] = sessionKey.map((one) => name(one))
      const key = [id, ...rest].join(', ')
      const beyond = after === undefined ? '' : `where ${id} >= ${dialect.param(1)} and (${key}) > (${list(3, 2)})`
      const times = `${time.sql(name('create_time'))} as ${name('created')}, ${time.sql(name('update_time'))} as ${name('updated')}`
      const rows = await query(
        `select ${key}, ${times} from ${sessions} ${beyond} order by ${key} limit ${limit}`,
        after === undefined ? [] : [after.sessionId, after.sessionId, after.appName, after.userId],
      )
      return rows.map((row) => ({
        ...keyOf({ ...row, session_id: row['id'] }),
        createdAt: time.read(row['created']),
        updatedAt: time.read(row['updated']),
      }))
    },
    async eventCounts(some) {
      const ids = padded(some.map((one) => one.sessionId))
      const rows = await query(
        `select ${sessionId}, count(*) as ${name('n')} from ${events} where ${sessionId} in (${list(ids.length)}) group by ${sessionId}`,
        ids,
      )
      return new Map(rows.map((row) => [String(row['session_id']), Number(row['n'])]))
    },
    async places(some) {
      const ids = padded(some.map((one) => one.sessionId))
      const rows = await query(
        `select ${quoted(['id', ...eventKey])} from ${events} where ${sessionId} in (${list(ids.length)})`,
        ids,
      )
      const owners = new Map(some.map((one) => [one.sessionId, one]))
      return rows.map((row) => {
        const { appName, userId } = owners.get(String(row['session_id'])) ?? { appName: '', userId: '' }
        return {
          id: String(row['id']),
          ...keyOf(eventsNameUsers ? row : { ...row, app_name: appName, user_id: userId }),
        }
      })
    },
    bodies({ appName, userId, sessionId: ofSession }, ids) {
      const some = padded(ids)
      const key = eventsNameUsers ? [appName, userId, ofSession] : [ofSession]
      const isKey = eventKey.map((column, i) => `${name(column)} = ${dialect.param(i + 1)}`).join(' and ')
      return query(
        `select ${body} from ${events} where ${isKey} and ${name('id')} in (${list(some.length, key.length + 1)})`,
        [...key, ...some],
      )
    },
    async state({ appName, userId, sessionId: id }) {
      const [row] = await query(
        `select ${jsonText(name('state'))} as ${name('state')} from ${sessions} where ${name('id')} = ${dialect.param(1)}
          and ${name('app_name')} = ${dialect.param(2)} and ${name('user_id')} = ${dialect.param(3)}`,
        [id, appName, userId],
      )
      return textOf(row?.['state'])
    },
    async *scopeStates(scope) {
      const table = tables[scope]
      if (table === undefined) return
      const key = scope === 'appStates' ? ['app_name'] : ['app_name', 'user_id']
      let after: readonly string[] | undefined
      for (;;) {
        const beyond = after === undefined ? '' : `where (${quoted(key)}) > (${list(key.length)})`
        const rows = await query(
          `select ${quoted(key)}, ${jsonText(name('state'))} as ${name('state')} from ${name(table)} ${beyond} order by ${quoted(key)} limit ${statePage}`,
          after ?? [],
        )
        for (const row of rows) {
          const appName = String(row['app_name'])
          yield {
            key: scope === 'appStates' ? { appName } : { appName, userId: String(row['user_id']) },
            text: textOf(row['state']),
          }
        }
        if (rows.length < statePage) return
        after = key.map((column) => String(rows.at(-1)?.[column]))
      }
    },
    orphans: () => strays(`left join ${sessions} s on ${join} where s.${name('id')} is null`),
    async folded() {
      const { differs } = dialect
      if (differs === undefined) return []
      const pairs = eventKey.map((column) =>
        differs(`e.${name(column)}`, `s.${name(column === 'session_id' ? 'id' : column)}`),
      )
      return strays(`join ${sessions} s on ${join} where ${pairs.join(' or ')}`)
    },
  }
}

/** A page of documents, each of which may be large. */
const statePage = 20

/** As many values as a power of two, so that few statements serve all lengths. A value twice is found once. */
function padded(values: readonly string[]): readonly string[] {
  const last = values.at(-1)
  if (last === undefined) return values
  const length = 2 ** Math.ceil(Math.log2(values.length))
  return [...values, ...Array.from({ length: length - values.length }, () => last)]
}

const textOf = (value: unknown): string | null =>
  typeof value === 'string' ? value : value === null || value === undefined ? null : JSON.stringify(value)

const keyOf = (row: SourceRow): SessionKey => ({
  appName: String(row['app_name']),
  userId: String(row['user_id']),
  sessionId: String(row['session_id']),
})
