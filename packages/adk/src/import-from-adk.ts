import { StoreError, scopeOf, type JsonObject, type Store } from '@daybook/core'
import type { AdkImportReport, ImportCounts, ImportProgress, NotTaken } from './import-report.ts'
import type { ImportJob } from './import-job.ts'
import { groupedBy } from './import-order.ts'
import { importSession, type SessionResult } from './import-session.ts'
import { importState } from './import-states.ts'
import { chooseLayout } from './sources/choose-layout.ts'
import type { SourceSession, SourceState, TableCounts, TableName } from './sources/layout.ts'
import { openSource } from './sources/open-source.ts'
import type { Source, SourceHandle } from './sources/source.ts'
import { createTableReader, type EventPlace, type TableReader } from './sources/table-reader.ts'
import { checkedZone } from './sources/wall-time.ts'

export interface AdkImportOptions {
  /**
   * The database to import from: an address as `DatabaseSessionService` takes it (`sqlite://…`, `postgres://…`, `mysql://…`,
   * `mariadb://…`), or a connection of yours. Its driver has to be installed: `@libsql/client`, `pg` or `mysql2`.
   */
  readonly from: string | SourceHandle
  /** A store that is migrated. */
  readonly to: Store
  /** Read and check everything, look at what the store has, write nothing. Default false. */
  readonly dryRun?: boolean
  /** Whose tables they are. Default: those that are there. */
  readonly layout?: 'adk' | 'sqlspec'
  /** Names of SQLSpec's tables, where they are not the default ones. */
  readonly tables?: Readonly<Partial<Record<TableName, string>>>
  /** The time zone of the processes that wrote with ADK to MySQL or MariaDB, which keep none. Default `UTC`. */
  readonly zone?: string
  /** Called after each session, and now and then within a long one. */
  readonly onProgress?: (progress: ImportProgress) => void
  readonly signal?: AbortSignal
}

/**
 * Brings sessions, events and state from the tables of ADK's own `DatabaseSessionService`, or of the ADK stores of SQLSpec,
 * into a store. Reads one snapshot, and never writes there. Safe to repeat: what is there already is not written again, so an
 * import that was interrupted is run again. What the store has with other content is reported and left alone.
 *
 * State is taken as it is; the deltas in the events are kept, but not applied. `updatedAt` is the time of the import.
 *
 * @throws `unsupported` for a schema version that is not known, or naming the driver to install · `unavailable` when the
 * database cannot be read · `aborted` · what the store throws
 *
 * @example
 * ```js
 * import { createInMemoryStore } from '@daybook/core'
 * import { importFromAdk } from '@daybook/adk'
 *
 * const to = createInMemoryStore()
 * const from = process.env['ADK_DATABASE_URL'] // such as mysql://root@localhost/agents
 * if (from !== undefined) {
 *   const { tables, notTaken } = await importFromAdk({ from, to, dryRun: true })
 *   console.log(tables.sessions.found, notTaken)
 * }
 * ```
 */
export async function importFromAdk(options: AdkImportOptions): Promise<AdkImportReport> {
  const { from, signal, zone = 'UTC' } = options
  checkedZone(zone)
  const check = () => {
    if (signal?.aborted) throw new StoreError('aborted', 'the import was aborted', { cause: signal.reason })
  }
  check()
  const source = checkedSource(await openSource(from))
  try {
    const layout = await chooseLayout(source, options)
    const reader = createTableReader(source, layout, layout.time(source.dialect, zone))
    return await run(reader, source, { ...options, zone, check })
  } finally {
    await source.close().catch(() => {}) // nothing was written there
  }
}

type Run = AdkImportOptions & { readonly zone: string; readonly check: () => void }

/** What a driver says may hold statements and values. */
const checkedSource = (source: Source): Source => ({
  ...source,
  query: async (sql, params) => {
    try {
      return await source.query(sql, params)
    } catch (cause) {
      throw new StoreError('unavailable', 'the database to import from cannot be read', { cause })
    }
  },
})

async function run(reader: TableReader, source: Source, options: Run): Promise<AdkImportReport> {
  const notTaken: NotTaken[] = []
  const scoped = createScopedKeys()
  const found = await reader.counts()
  const progress = createProgress(found, options.onProgress)
  const job: ImportJob = {
    reader,
    store: options.to,
    dryRun: options.dryRun ?? false,
    check: options.check,
    signal: options.signal,
    leave: (one) => notTaken.push(one),
    eventsRead: progress.events,
    scopedKeys: (session, state) => scoped.add(session, state),
  }
  const { results, places } = await importSessions(job, progress.session)
  if (places < found.events) await reportStrays(reader, job)
  const appStates = await importStates(job, reader.scopeStates('appStates'), scoped.apps())
  const userStates = await importStates(job, reader.scopeStates('userStates'), scoped.users())
  const sum = (of: (one: SessionResult) => number) => results.reduce((total, one) => total + of(one), 0)
  const sessions = results.map(({ session }) => session)
  return {
    dryRun: job.dryRun,
    source: {
      layout: reader.layout.name,
      flavour: source.dialect.flavour,
      schema: reader.layout.schema,
      ...(source.dialect.isZoneless && reader.layout.name === 'adk' && { zone: options.zone }),
    },
    tables: {
      appStates,
      userStates,
      sessions: {
        found: found.sessions,
        taken: sum(({ taken }) => Number(taken.session)),
        written: sum(({ written }) => Number(written.session)),
      },
      events: {
        found: found.events,
        taken: sum(({ taken }) => taken.events),
        written: sum(({ written }) => written.events),
      },
    },
    sessions,
    tied: sessions.filter(({ tied }) => tied).length,
    notTaken,
  }
}

async function importSessions(job: ImportJob, isDone: () => void) {
  const results: SessionResult[] = []
  let places = 0
  for await (const one of sessionsWithPlaces(job.reader, job.check)) {
    places += one.places.length
    results.push(await importSession(job, one.session, one.places))
    isDone()
  }
  return { results, places }
}

function createProgress(of: TableCounts, onProgress: AdkImportOptions['onProgress']) {
  const done = { sessions: 0, events: 0 }
  const tell = () =>
    onProgress?.({
      sessions: { done: done.sessions, of: of.sessions },
      events: { done: done.events, of: of.events },
    })
  return {
    session: () => {
      done.sessions += 1
      tell()
    },
    events: (count: number) => {
      done.events += count
      if (done.events % 1000 < count) tell()
    },
  }
}

/** Sessions of one page, and events whose places are held in memory at once. */
const [sessionPage, placesAtOnce] = [200, 200_000]

/** Each session with the places of its events. ADK's table of events has no index for a session: one scan finds those of many. */
async function* sessionsWithPlaces(reader: TableReader, check: () => void) {
  let after: SourceSession | undefined
  for (;;) {
    check()
    const page = await reader.sessions(after, sessionPage)
    const counts = page.length === 0 ? new Map<string, number>() : await reader.eventCounts(page)
    for (const group of groupsOf(page, counts)) {
      check()
      const places = groupedBy(await reader.places(group), (place) => textOf(place))
      for (const session of group) yield { session, places: places.get(textOf(session)) ?? [] }
    }
    after = page.at(-1)
    if (page.length < sessionPage || after === undefined) return
  }
}

function groupsOf(page: readonly SourceSession[], counts: ReadonlyMap<string, number>): SourceSession[][] {
  const groups: SourceSession[][] = []
  let held = Number.POSITIVE_INFINITY
  for (const session of page) {
    const count = counts.get(session.sessionId) ?? 0
    if (held + count > placesAtOnce) {
      groups.push([])
      held = 0
    }
    groups.at(-1)?.push(session)
    held += count
  }
  return groups
}

const textOf = ({ appName, userId, sessionId }: SourceSession | EventPlace) =>
  JSON.stringify([appName, userId, sessionId])

async function reportStrays(reader: TableReader, job: ImportJob): Promise<void> {
  for (const { events: count, ...key } of await reader.orphans())
    job.leave({ what: 'event', ...key, reason: 'no_session', detail: 'their session is not there', count })
  for (const { events: count, ...key } of await reader.folded())
    job.leave({
      what: 'event',
      ...key,
      reason: 'folded',
      detail: 'their session is written otherwise, and only the collation of the database takes it for the same',
      count,
    })
}

async function importStates(
  job: ImportJob,
  tables: AsyncIterable<SourceState>,
  inSessions: Iterable<SourceState>,
): Promise<ImportCounts> {
  let [found, taken, written] = [0, 0, 0]
  const count = async (state: SourceState) => {
    job.check()
    const result = await importState(job, state)
    found += 1
    taken += result.taken ? 1 : 0
    written += result.written ? 1 : 0
  }
  for await (const state of tables) await count(state)
  for (const state of inSessions) await count(state)
  return { found, taken, written }
}

/** State of users and apps that is in the documents of their sessions: of each key the one of the session that was changed last. */
function createScopedKeys() {
  const documents = new Map<string, { key: SourceState['key']; values: Map<string, { value: unknown; at: number }> }>()
  const of = (isUser: boolean) =>
    [...documents.values()]
      .filter(({ key }) => (key.userId !== undefined) === isUser)
      .map(({ key, values }) => ({
        key,
        text: JSON.stringify(Object.fromEntries([...values].map(([name, { value }]) => [name, value]))),
      }))
  return {
    add({ appName, userId, updatedAt }: SourceSession, state: JsonObject) {
      for (const [prefixed, value] of Object.entries(state)) {
        const { scope, name } = scopeOf(prefixed)
        if (scope !== 'app' && scope !== 'user') continue
        const key = scope === 'app' ? { appName } : { appName, userId }
        const text = JSON.stringify(key)
        const document = documents.get(text) ?? { key, values: new Map<string, { value: unknown; at: number }>() }
        documents.set(text, document)
        if (!(updatedAt < (document.values.get(name)?.at ?? Number.NEGATIVE_INFINITY)))
          document.values.set(name, { value, at: updatedAt })
      }
    },
    apps: () => of(false),
    users: () => of(true),
  }
}
