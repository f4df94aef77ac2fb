import { StoreError } from '@daybook/core'
import { adkLayout } from './adk-layout.ts'
import type { Layout, TableName } from './layout.ts'
import type { Source } from './source.ts'
import { sqlspecLayout } from './sqlspec-layout.ts'

export interface LayoutChoice {
  /** Default: the one that is there. */
  readonly layout?: Layout['name'] | undefined
  /** Names of SQLSpec's tables, where they are not the default ones. */
  readonly tables?: Readonly<Partial<Record<TableName, string>>> | undefined
}

const metadata = 'adk_internal_metadata'
const knownVersion = '1'

/** Finds out whose tables these are, and refuses those of a version that is not known. */
export async function chooseLayout(source: Source, choice: LayoutChoice): Promise<Layout> {
  const columns = new Map<string, Set<string>>()
  for (const row of await source.query(source.dialect.columns, [])) {
    const table = String(row['of'])
    columns.set(table, (columns.get(table) ?? new Set()).add(String(row['name'])))
  }
  const columnsOf = (table: string): ReadonlySet<string> => columns.get(table) ?? new Set()
  const adk = columns.has('sessions') && columns.has('events') && columns.has('app_states') ? adkLayout : undefined
  const sqlspecTables = namesIn(columns, choice.tables)
  const sqlspec = sqlspecTables && sqlspecLayout(sqlspecTables, columnsOf)
  if (choice.layout === undefined && adk !== undefined && sqlspec !== undefined)
    throw refused('has tables of ADK and of SQLSpec: say which by the option layout', 'layout')
  const layout = choice.layout === undefined ? (adk ?? sqlspec) : choice.layout === 'adk' ? adk : sqlspec
  if (layout === undefined)
    throw refused(`has neither ADK's tables (sessions, events, app_states) nor SQLSpec's (adk_session, adk_event)`)
  await checkVersion(source, layout, columns.has(metadata))
  if (layout === adk && !columnsOf('events').has('event_data'))
    throw new StoreError('unsupported', 'the events of the database to import from have no event_data: an older schema')
  return layout
}

const defaults: readonly Layout['tables'][] = [
  { sessions: 'adk_session', events: 'adk_event', appStates: 'adk_app_state', userStates: 'adk_user_state' },
  { sessions: 'adk_sessions', events: 'adk_events' },
]

function namesIn(
  columns: ReadonlyMap<string, unknown>,
  given: LayoutChoice['tables'] = {},
): Layout['tables'] | undefined {
  const wanted = defaults.map((names) => ({ ...names, ...given }))
  const found = wanted.find(({ sessions, events }) => columns.has(sessions) && columns.has(events))
  if (found === undefined) return undefined
  const present = Object.entries(found).filter(([, name]) => columns.has(name))
  return { ...Object.fromEntries(present), sessions: found.sessions, events: found.events }
}

async function checkVersion({ dialect, query }: Source, layout: Layout, hasMetadata: boolean): Promise<void> {
  const [key, value, table] = ['key', 'value', metadata].map((one) => dialect.name(one))
  const rows = hasMetadata ? await query(`select ${value} from ${table} where ${key} = 'schema_version'`, []) : []
  const version = rows.length === 0 ? undefined : textOf(rows[0]?.['value'])
  if (version === knownVersion || (version === undefined && layout.name === 'sqlspec')) return
  const found = version === undefined ? 'names no schema version' : `is at schema version ${version}`
  throw new StoreError('unsupported', `${metadata} ${found}; what is known is version ${knownVersion}`)
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

const refused = (what: string, field = 'from') =>
  new StoreError('invalid_argument', `the database to import from ${what}`, { field })
