import { setImmediate } from 'node:timers/promises'
import { wrapStore } from '@daybook/conformance/mutants'
import type { OwnMutant, OwnMutantId, Place, PlaceRequest } from '@daybook/conformance'
import { isStoreError, type Capabilities, type PageOptions, type Page, type Store, type Call } from '@daybook/core'
import { bare, insertInto, param, selected, type Append, type Dialect, type Params } from '@daybook/drizzle'
import { Column, is, Placeholder, sql, SQL, StringChunk } from 'drizzle-orm'
import {
  asItIs,
  eachStepAlone,
  overParams,
  overRows,
  overSchema,
  overStatements,
  overVerbs,
  patches,
  readThenWrite,
  textOf,
  withoutShortcut,
  type DialectPatch,
} from './dialect-patch.ts'
import { impossibleWithoutVectors, memorySqlMutants } from './memory-sql-mutants.ts'
import { metricSqlMutants } from './metric-sql-mutants.ts'

/** A bug in the statements, the schema or the transactions of a store, the same on every database. */
export interface SqlMutant extends Pick<OwnMutant, 'id' | 'bug' | 'check'> {
  readonly patch?: DialectPatch
  /** For a bug that sits where the contract is turned into statements. */
  readonly wrap?: (store: Store) => Store
  /** For a bug in what a store keeps open. */
  readonly place?: (place: Place) => Place
}

/** Events without the key that keeps two of them from one seq. */
const withoutSeqKey = overSchema((statement) =>
  /^ALTER TABLE \S+ ADD CONSTRAINT \S+_pk" PRIMARY KEY \("sid", "seq"\)$/.test(statement)
    ? ''
    : statement.replace(/^\s*PRIMARY KEY \(["`]sid["`], ["`]seq["`]\),\n/m, '').replace(/\) WITHOUT ROWID$/, ')'),
)

/** The next seq is the greatest one there is and one more, looked up before the events are written. */
const greatestSeq: DialectPatch = (dialect) => {
  const { sessions, events } = dialect.tables
  const isKey = sql`${sessions.appName} = ${param('appName')} and ${sessions.userId} = ${param('userId')} and ${sessions.sessionId} = ${param('sessionId')}`
  const find = {
    sql: sql`select ${selected({ sid: sessions.sid, revision: sessions.revision, seq: sql`(select coalesce(max(${events.seq}), 0) from ${events} where ${events.sid} = ${sessions.sid})` })} from ${sessions} where ${isKey}`,
  }
  const names = ['eventId', 'invocationId', 'author', 'branch', 'errorCode', 'timestamp'] as const
  const columns = Object.fromEntries(names.map((name) => [name, param(name)]))
  const insert = {
    sql: insertInto(events, {
      sid: param('sid'),
      seq: param('seq'),
      ...columns,
      payload: dialect.expressions.payload(param('payload')),
    }),
  }
  const count = {
    sql: sql`update ${sessions} set ${bare(sessions.revision)} = ${sessions.revision} + 1, ${bare(sessions.lastSeq)} = ${param('seq')} where ${isKey}`,
  }
  return {
    ...dialect,
    async appendEvents({ key, events: added, deltas, expectedRevision }: Append, call) {
      if (expectedRevision !== undefined || Object.values(deltas).some((delta) => Object.keys(delta.set).length > 0))
        return undefined
      const params: Params = { appName: key.appName, userId: key.userId, sessionId: key.sessionId }
      const [found] = await dialect.read((tx) => tx.rows(find, params), call)
      if (found === undefined) return undefined
      // Others have their turn between two trips, also where the driver itself does not wait for anything.
      await setImmediate()
      const before = Number(found['seq'])
      await dialect.write(function* (tx) {
        for (const [i, event] of added.entries())
          yield* tx.change(insert, { ...event, sid: BigInt(String(found['sid'])), seq: before + i + 1 })
        yield* tx.change(count, { ...params, seq: before + added.length })
      }, call)
      return { revision: Number(found['revision']) + 1, lastSeq: before + added.length }
    },
  }
}

/** Pages counted from the beginning of the list. */
function offsetPages(store: Store): Store {
  const paged = async <T>(
    { cursor, limit = store.limits.pageDefault }: PageOptions,
    list: (page: { limit: number; offset: number }) => Promise<Page<T>>,
  ): Promise<Page<T>> => {
    const offset = cursor === undefined ? 0 : Number(cursor.slice(1))
    const page = await list({ limit, offset })
    return { ...page, nextCursor: page.nextCursor === undefined ? undefined : `o${offset + limit}` }
  }
  return wrapStore(store, {
    sessions: {
      list: ({ cursor, limit, ...query }) =>
        paged({ ...(cursor !== undefined && { cursor }), ...(limit !== undefined && { limit }) }, (page) =>
          store.sessions.list({ ...query, ...page }),
        ),
    },
    events: {
      list: (key, { cursor, limit, ...query } = {}) =>
        paged({ ...(cursor !== undefined && { cursor }), ...(limit !== undefined && { limit }) }, (page) =>
          store.events.list(key, { ...query, ...page }),
        ),
    },
  })
}

/** An order that no index has. */
const sortedVersions = overStatements((chunks) =>
  chunks.map((chunk, i) => {
    const before = chunks[i - 1]
    const isOrder = is(before, StringChunk) && before.value.join('').endsWith('order by ')
    return isOrder && is(chunk, Column) && chunk.name === 'version' ? sql`${chunk} + 0` : chunk
  }),
)

/** ORDER BY keeps its first term alone, and the index has no other either. */
const byTimeAlone = patches(
  overStatements((chunks) =>
    chunks.map((chunk, i) => {
      const before = chunks[i - 1]
      if (!is(chunk, SQL) || !is(before, StringChunk) || !before.value.join('').includes('order by')) return chunk
      const tie = chunk.queryChunks.findIndex((one) => is(one, SQL) && textOf(one) === ', ')
      return tie < 0 ? chunk : new SQL(chunk.queryChunks.slice(0, tie))
    }),
  ),
  overSchema((statement) =>
    statement.replaceAll(
      /(["`](?:last_event_at|created_at)["`] DESC), ["`]session_id["`](?:, ["`]user_id["`])?/g,
      '$1',
    ),
  ),
)

const withoutIndex = overSchema((statement) =>
  /^CREATE INDEX \S+_recent"/.test(statement) ? '' : statement.replace(/^\s*KEY `\S+_recent`.*\n/m, ''),
)

const withoutAgeIndex = overSchema((statement) =>
  /^CREATE INDEX \S+versions_age"/.test(statement)
    ? ''
    : statement.replace(/CREATE INDEX `\S+versions_age` ON [^']+/, 'DO 0'),
)

const withoutCreationIndex = overSchema((statement) =>
  /^CREATE INDEX \S+sessions_created"/.test(statement)
    ? ''
    : statement.replace(/^\s*KEY `\S+sessions_created`.*\n/m, ''),
)

/** A prune walks on with something else in the place where it is. */
const walkingOn = (change: (params: Params, text: string) => Params | undefined): DialectPatch =>
  overVerbs((tx) => ({
    ...tx,
    *rows(statement, params = {}) {
      const isWalk = 'before' in params && 'limit' in params && 'appName' in params
      const changed = isWalk ? change(params, textOf(statement.sql)) : params
      return changed === undefined ? [] : yield* tx.rows(statement, changed)
    },
  }))

const pastEqualTimes = walkingOn(({ createdAt, ...params }) =>
  typeof createdAt === 'bigint' ? { ...params, createdAt: createdAt - 1n } : params,
)

const notTheLate = walkingOn((params, text) => (text.includes(' >= ') ? undefined : params))

/** What is to go, one by one. */
const oneByOne = overVerbs((tx) => ({
  ...tx,
  *change(statement, params = {}) {
    const { numbers } = params
    if (typeof numbers !== 'string') return yield* tx.change(statement, params)
    let sum = 0
    for (const number of numbers.slice(1, -1).split(','))
      sum += yield* tx.change(statement, { ...params, numbers: `[${number}]` })
    return sum
  },
}))

/** Whatever the database compares texts by when nobody says. */
const defaultCollation = patches(
  ({ schemaDifferences: _look, ...dialect }) => dialect, // or the store would refuse its own tables
  overSchema((statement) =>
    statement
      .replaceAll(/ CHARACTER SET utf8mb4 COLLATE \w+/g, ' CHARACTER SET utf8mb4')
      .replaceAll('COLLATE "C"', 'COLLATE "und-x-icu"'),
  ),
)

const second = 1_000_000n
const times: ReadonlySet<string> = new Set(['createdAt', 'updatedAt', 'lastEventAt', 'timestamp', 'now'])
const cut = (time: bigint) => (time / second) * second

/** A column of times without a fraction of a second. */
const wholeSeconds: DialectPatch = (dialect) => {
  const patched = overParams((params) =>
    Object.fromEntries(
      Object.entries(params).map(([name, value]) => [
        name,
        typeof value === 'bigint' && times.has(name) ? cut(value) : value,
      ]),
    ),
  )(dialect)
  if (dialect.appendEvents === undefined) return patched
  return {
    ...patched,
    appendEvents: async (append, call) =>
      dialect.appendEvents?.(
        {
          ...append,
          now: cut(append.now),
          events: append.events.map((event) => ({ ...event, timestamp: cut(event.timestamp) })),
        },
        call,
      ),
  }
}

const likeInKeys = overStatements((chunks) =>
  chunks.map((chunk, i) => {
    const [before, after] = [chunks[i - 1], chunks[i + 1]]
    const isEquals = is(chunk, StringChunk) && /^ = $/.test(chunk.value.join(''))
    const isKey = is(before, Column) && before.name === 'session_id' && (is(after, Placeholder) || is(after, SQL))
    return isEquals && isKey ? new StringChunk(' like ') : chunk
  }),
)

/** After an error the connection is not given back, and another one takes its place. */
function keptConnections(place: Place): Place {
  const most = 8
  const kept: Store[] = []
  return {
    ...place,
    async open(options) {
      const store = await place.open(options)
      return wrapStore(store, {
        events: {
          async append(key, events, appendOptions) {
            try {
              return await store.events.append(key, events, appendOptions)
            } catch (error) {
              if (kept.length === most) throw error
              const other = await place.open({ ...options, poolMax: 1 })
              kept.push(other)
              await other.sessions.get(key).catch(() => {}) // what it reads does not matter, nor whether it can
              throw error
            }
          },
        },
      })
    },
    async destroy() {
      await Promise.allSettled(kept.map((store) => store.close()))
      await place.destroy()
    },
  }
}

/** And no second try, by which the one who came late would find the work done. */
const withoutMigrationLock: DialectPatch = (dialect: Dialect) => ({
  ...dialect,
  failureOf(error) {
    const failure = dialect.failureOf(error)
    return failure.kind === 'duplicate' ? { ...failure, kind: 'internal' } : failure
  },
  migrationStart: dialect.migrationStart.filter((statement) => !/lock/i.test(textOf(statement.sql))),
  migrationEnd: [],
})

const documents = new Set(['payload', 'state', 'userState', 'appState'])

/** A text that looks like JSON is taken for the document that it looks like. */
const decodedTwice = overRows((row) =>
  Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      if (!documents.has(name) || value === null || value === undefined) return [name, value]
      return [name, typeof value === 'string' ? JSON.stringify(decoded(JSON.parse(value))) : decoded(value)]
    }),
  ),
)

function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => decoded(item))
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, decoded(item)]))
  if (typeof value !== 'string') return value
  try {
    return JSON.parse(value)
  } catch {
    return value // no JSON
  }
}

/** Says how many there are with each page. */
const countedPages = overVerbs((tx, { tables: { sessions } }) => {
  const count = { sql: sql`select count(*) as ${sql.identifier('n')} from ${sessions}` }
  return {
    ...tx,
    *rows(statement, params) {
      if (/order by[^]*limit/i.test(textOf(statement.sql))) yield* tx.rows(count)
      return yield* tx.rows(statement, params)
    },
  }
})

/** What it could not learn the outcome of it does again, under ids of its own. */
const repeated = (store: Store): Store =>
  wrapStore(store, {
    events: {
      append: async (key, events, options) => {
        try {
          return await store.events.append(key, events, options)
        } catch (error) {
          if (!isStoreError(error) || error.code !== 'outcome_unknown') throw error
          const list = Array.isArray(events) ? events : [events]
          return store.events.append(
            key,
            list.map(({ id: _id, ...event }) => event),
            options,
          )
        }
      },
    },
  })

const unknownLoss = 'a connection that is lost is an error that nobody knows'

const lossIsInternal: DialectPatch = (dialect) => ({
  ...dialect,
  failureOf(error) {
    const failure = dialect.failureOf(error)
    return failure.kind === 'connection' ? { ...failure, kind: 'internal' } : failure
  },
})

/** The shortest way in brings back no sizes. */
const untoldSizes: DialectPatch = (dialect) => ({
  ...dialect,
  ...(dialect.appendEvents !== undefined && {
    async appendEvents(append: Append, call: Call) {
      const appended = await dialect.appendEvents?.(append, call)
      return appended && { revision: appended.revision, lastSeq: appended.lastSeq }
    },
  }),
})

const unheard = (place: Place): Place => ({
  ...place,
  open: ({ logger, ...options } = {}) =>
    place.open({ ...options, ...(logger !== undefined && { logger: { ...logger, warn: () => {} } }) }),
})

const sqlMutants: readonly SqlMutant[] = [
  {
    id: 'S1',
    bug: 'the next seq is max(seq) + 1, without a lock',
    check: 'CON-01',
    patch: patches(withoutSeqKey, greatestSeq),
  },
  {
    id: 'S1@scan',
    bug: 'the next seq is max(seq) + 1, without a lock',
    check: 'PRF-04',
    patch: patches(withoutSeqKey, greatestSeq),
  },
  {
    id: 'S2',
    bug: 'state is read, changed and written, without a lock',
    check: 'CON-03',
    patch: patches(withoutShortcut, readThenWrite),
  },
  {
    id: 'S3',
    bug: 'no transaction around the events and the state',
    check: 'TXN-01',
    patch: patches(withoutShortcut, eachStepAlone),
  },
  {
    id: 'S4',
    bug: 'what existed is reported as created',
    check: 'SES-04',
    patch: overVerbs((tx) => ({
      ...tx,
      *insertNew(insert, params) {
        yield* tx.insertNew(insert, params)
        return true
      },
    })),
  },
  { id: 'S5', bug: 'pages by offset', check: 'ORD-06', wrap: offsetPages },
  { id: 'S5@rows', bug: 'pages by offset', check: 'PRF-02', wrap: offsetPages },
  { id: 'S6', bug: 'lists are ordered by time only', check: 'ORD-02', patch: byTimeAlone },
  { id: 'S7', bug: 'an index is missing', check: 'PRF-01', patch: withoutIndex },
  { id: 'S7@age', bug: 'an index is missing', check: 'PRF-01@artifacts', patch: withoutAgeIndex },
  { id: 'S7@creation', bug: 'an index is missing', check: 'PRF-01@removal', patch: withoutCreationIndex },
  { id: 'S8', bug: 'ids have a collation of the language', check: 'UNI-06', patch: defaultCollation },
  { id: 'S8@case', bug: 'ids have a collation of the language', check: 'UNI-07', patch: defaultCollation },
  { id: 'S8@order', bug: 'ids have a collation of the language', check: 'ORD-12', patch: defaultCollation },
  { id: 'S9', bug: 'columns of times keep whole seconds', check: 'TIM-01', patch: wholeSeconds },
  { id: 'S10', bug: 'ids are matched by LIKE', check: 'SEC-03', patch: likeInKeys },
  { id: 'S11', bug: 'a connection is not given back after an error', check: 'RES-04', place: keptConnections },
  { id: 'S12', bug: 'what may have been committed is done again under a new id', check: 'FLT-02', wrap: repeated },
  { id: 'S16', bug: unknownLoss, check: 'FLT-01', patch: lossIsInternal },
  { id: 'S16@idle', bug: unknownLoss, check: 'FLT-04', patch: lossIsInternal },
  { id: 'S16@walk', bug: unknownLoss, check: 'FLT-07', patch: lossIsInternal },
  { id: 'S13', bug: 'a migration takes no lock', check: 'LIFE-03', patch: withoutMigrationLock },
  { id: 'S13@processes', bug: 'a migration takes no lock', check: 'MIG-04', patch: withoutMigrationLock },
  { id: 'S14', bug: 'JSON is decoded twice', check: 'UNI-14', patch: decodedTwice },
  { id: 'S17', bug: 'nobody is warned of anything', check: 'LIM-13', place: unheard },
  { id: 'S17@append', bug: 'an append does not tell how large a state has grown', check: 'LIM-13', patch: untoldSizes },
  { id: 'S15', bug: 'each page counts all rows', check: 'PRF-03', patch: countedPages },
  { id: 'S18', bug: 'versions are sorted to find the newest', check: 'PRF-01@artifacts', patch: sortedVersions },
  { id: 'S28', bug: 'a prune skips sessions of one time of creation', check: 'SES-17@walk', patch: pastEqualTimes },
  { id: 'S28@late', bug: 'a prune ends at what was created later', check: 'SES-17@walk', patch: notTheLate },
  { id: 'S27', bug: 'what a prune takes it takes one by one', check: 'PRF-03@removal', patch: oneByOne },
  ...memorySqlMutants,
  ...metricSqlMutants,
]

/** What a subject that says so, or does not, has to say about bugs. */
export const impossibleHere = ({ nativeVectors }: Pick<Capabilities, 'nativeVectors'>) =>
  nativeVectors === 'no' ? impossibleWithoutVectors : {}

type Broken = (request: PlaceRequest, patch: DialectPatch) => Promise<Place>

/** The mutants as a subject lists them; `impossible` says which bugs its database does not let anybody write, and why. */
export const mutantsOf = (
  provision: Broken,
  impossible: Readonly<Partial<Record<OwnMutantId, string>>> = {},
): readonly OwnMutant[] =>
  sqlMutants.map(({ id, bug, check, patch = asItIs, wrap = (store) => store, place: change = (place) => place }) => {
    const inapplicable = impossible[id]
    return {
      id,
      bug,
      check,
      ...(inapplicable !== undefined && { inapplicable }),
      async provision(request) {
        const place = change(await provision(request, patch))
        return { ...place, open: async (options) => wrap(await place.open(options)) }
      },
    }
  })
