import {
  remembered,
  runAsync,
  step,
  type Dialect,
  type Loaded,
  selected,
  type LoadShape,
  type Part,
  type Params,
  type Row,
} from '@daybook/drizzle'
import type { Script, Statement, Tx } from '@daybook/drizzle'
import { is, sql, SQL, StringChunk, type SQLChunk } from 'drizzle-orm'

/** A dialect with something changed: an older version of a store, or one with a bug. */
export type DialectPatch = (dialect: Dialect) => Dialect

export const asItIs: DialectPatch = (dialect) => dialect

/** The dialect of an older version, which knows only so many of the migrations. */
export const knowing =
  (count: number | undefined): DialectPatch =>
  (dialect) =>
    count === undefined
      ? dialect
      : {
          ...(count < 3 ? withoutLeases(dialect) : dialect),
          migrations: dialect.migrations.slice(0, count),
          capabilities: {
            ...dialect.capabilities,
            ...(count < 4 && noArtifacts),
            ...(count < 7 && noMemories),
            ...(count < 9 && noMetrics),
          },
        }

const noArtifacts = { artifacts: 'no' } as const
const noMetrics = { metrics: 'no' } as const
const noMemories = { memories: 'no', fullTextSearch: 'no', vectorSearch: 'no' } as const

/** The columns of the third migration are not asked for: the version before it did not know them. */
function withoutLeases(dialect: Dialect): Dialect {
  const nothing = { value: new SQL([new StringChunk('null')]) }
  const columns = { leaseOwner: nothing, leaseFence: nothing, leaseUntil: nothing }
  const sessions = Object.create(dialect.tables.sessions, columns) as Dialect['tables']['sessions'] // the same table for whatever reads the rest of it
  return withoutShortcut({ ...dialect, tables: { ...dialect.tables, sessions } })
}

export const patches =
  (...all: readonly DialectPatch[]): DialectPatch =>
  (dialect) =>
    all.reduce((patched, patch) => patch(patched), dialect)

/** What is written goes the long way, through its script. */
export const withoutShortcut: DialectPatch = (dialect) => ({
  ...dialect,
  appendEvents: async () => undefined,
  createSession: async () => undefined,
  insertFresh: async () => false,
})

/** Other verbs in every transaction. */
export const overVerbs =
  (change: (tx: Tx, dialect: Dialect) => Tx): DialectPatch =>
  (dialect) => ({
    ...dialect,
    read: (script, call) => dialect.read((tx) => script(change(tx, dialect)), call),
    write: (script, call) => dialect.write((tx) => script(change(tx, dialect)), call),
  })

/** Other statements of a migration. An empty one is left out. */
export const overSchema =
  (change: (statement: string) => string): DialectPatch =>
  (dialect) => ({
    ...dialect,
    named: (migration) =>
      dialect
        .named(migration)
        .map((statement) => change(statement))
        .filter((statement) => statement !== ''),
  })

/** Other statements of the store, changed chunk by chunk; each is changed once, so that it stays prepared. */
export function overStatements(change: (chunks: readonly SQLChunk[]) => SQLChunk[]): DialectPatch {
  const changed = (given: SQL): SQL =>
    new SQL(change(given.queryChunks.map((chunk) => (is(chunk, SQL) ? changed(chunk) : chunk))))
  const statement = remembered((given: Statement): Statement => ({ ...given, sql: changed(given.sql) }))
  const part = ({ columns, from }: Part): Part => ({
    sql: changed(sql`select ${selected(columns)} ${from}`),
    columns: Object.fromEntries(Object.entries(columns).map(([alias, column]) => [alias, changed(sql`${column}`)])),
    from: changed(from),
  })
  const shape = remembered(({ session, events, ...rest }: LoadShape): LoadShape => ({
    ...rest,
    session: part(session),
    events: events && part(events),
  }))
  const verbs = overVerbs((tx) => ({
    ...tx,
    rows: (given, params) => tx.rows(statement(given), params),
    change: (given, params) => tx.change(statement(given), params),
  }))
  return (dialect) => ({
    ...verbs(dialect),
    loadSession: (given, params, call) => dialect.loadSession(shape(given), params, call),
  })
}

/** Other values in every statement. */
export const overParams = (change: (params: Params) => Params): DialectPatch =>
  overVerbs((tx) => ({
    rows: (statement, params = {}) => tx.rows(statement, change(params)),
    change: (statement, params = {}) => tx.change(statement, change(params)),
    insertNew: (insert, params = {}) => tx.insertNew(insert, change(params)),
    insertAll: (insert, params = {}) => tx.insertAll(insert, change(params)),
    ensure: (insert, params = {}) => tx.ensure(insert, change(params)),
    many: tx.many,
  }))

/** Other rows in every answer. */
export function overRows(change: (row: Row) => Row): DialectPatch {
  const verbs = overVerbs((tx) => ({
    ...tx,
    *rows(statement, params) {
      return (yield* tx.rows(statement, params)).map((row) => change(row))
    },
  }))
  return (dialect) => ({
    ...verbs(dialect),
    async loadSession(shape, params, call): Promise<Loaded | undefined> {
      const loaded = await dialect.loadSession(shape, params, call)
      return loaded && { session: change(loaded.session), events: loaded.events.map((row) => change(row)) }
    },
  })
}

/** Each step of a script that writes is a transaction by itself. */
export const eachStepAlone: DialectPatch = (dialect) => ({
  ...dialect,
  write(script, call) {
    const alone = <T>(one: (tx: Tx) => Script<T>) => step(() => dialect.write(one, call))
    return runAsync(
      script({
        rows: (statement, params) => alone((tx) => tx.rows(statement, params)),
        change: (statement, params) => alone((tx) => tx.change(statement, params)),
        insertNew: (insert, params) => alone((tx) => tx.insertNew(insert, params)),
        insertAll: (insert, params) => alone((tx) => tx.insertAll(insert, params)),
        ensure: (insert, params) => alone((tx) => tx.ensure(insert, params)),
        many: {
          insertNew: (insert, rows, isHasty) => alone((tx) => tx.many.insertNew(insert, rows, isHasty)),
          replace: (insert, rows) => alone((tx) => tx.many.replace(insert, rows)),
        },
      }),
    )
  },
})

/** A script that has its answer, and needs no step for it. */
function* known<T>(answer: T): Script<T> {
  yield* []
  return answer
}

/** What makes a row anew decides by that, and is left whole. */
class MakesARow extends Error {}

/** A script that writes reads in one transaction, decides, and writes what it decided in another. */
export const readThenWrite: DialectPatch = (dialect) => ({
  ...dialect,
  async write(script, call) {
    const answers: (readonly Row[])[] = []
    const decide = (tx: Tx) =>
      script({
        *rows(statement, params) {
          const rows = yield* tx.rows(statement, params)
          answers.push(rows)
          return rows
        },
        change: () => known(1),
        insertNew() {
          throw new MakesARow()
        },
        insertAll() {
          throw new MakesARow()
        },
        ensure: (insert, params) => tx.ensure(insert, params),
        many: {
          insertNew() {
            throw new MakesARow()
          },
          replace: () => known(undefined),
        },
      })
    try {
      await dialect.write(decide, call)
    } catch (error) {
      if (error instanceof MakesARow) return dialect.write(script, call)
      throw error
    }
    return dialect.write(
      (tx) =>
        script({
          ...tx,
          *rows(statement, params) {
            return answers.shift() ?? (yield* tx.rows(statement, params))
          },
          ensure: () => known(undefined),
        }),
      call,
    )
  },
})

/** The text of a statement as far as it is fixed. */
export const textOf = (text: SQL): string =>
  text.queryChunks
    .map((chunk) => (is(chunk, StringChunk) ? [chunk.value].flat().join('') : is(chunk, SQL) ? textOf(chunk) : '?'))
    .join('')
