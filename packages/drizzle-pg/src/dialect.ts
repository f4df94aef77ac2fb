import { createHash } from 'node:crypto'
import { defaultLimits, StoreError, type Call, type Capabilities } from '@daybook/core'
import {
  bound,
  compiler,
  readLazily,
  remembered,
  runAsync,
  step,
  tableNamesOf,
  withNames,
  type Compiled,
  type Dialect,
  type InsertNew,
  type LoadShape,
  type Params,
  type Row,
  type Script,
  type Server,
  type Statement,
  type Tx,
} from '@daybook/drizzle'
import { sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import { appendedBy, appendStatement, buildAppend } from './append.ts'
import { resultOf, wire, type Driver, type PgDatabase, type PgExecutor } from './driver.ts'
import { checkViolation, failureOf } from './errors.ts'
import { expressions, insertNewSql } from './expressions.ts'
import { buildLoad, loadedBy } from './load.ts'
import { allMigrations } from './migrate.ts'
import { probe } from './probe.ts'
import { daybookTables, schemaNameOf, type PgTableOptions } from './schema.ts'

const pg = new PgDialect()
const compiled = compiler((statement) => pg.sqlToQuery(statement))
/** A name for each text: over one pool, stores with other schemas, prefixes or versions must not meet under one name. */
const nameOf = remembered(
  ({ text }: Compiled) => `daybook_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`,
)
const insertNewStatement = remembered((insert: InsertNew) => ({ sql: insertNewSql(insert) }))

interface Parts {
  readonly db: PgDatabase
  readonly driver: Driver
  readonly options: PgTableOptions & { readonly lockWait?: number }
  readonly close: () => Promise<void>
}

/** The verbs over Drizzle on PostgreSQL. */
export function pgDialect({ db, driver, options, close }: Parts): Dialect {
  const tables = daybookTables(options)
  const names = tableNamesOf(options)
  const schema = schemaNameOf(options)
  const appendFor = variantsOf((variant) => buildAppend(tables, variant))
  const loadFor = remembered((shape: LoadShape) => buildLoad(tables, shape))

  const prepared = (statement: Statement, params: Params): Promise<readonly Row[]> => {
    const query = compiled(statement)
    return driver.prepared(nameOf(query), query.text, query.values(params))
  }
  const readInTransaction = <T>(script: (tx: Tx) => Script<T>, call: Call): Promise<T> =>
    driver.inTurn(() => {
      call.check()
      return db.transaction((tx) => runAsync(script(executorTx(tx)), () => call.check()), {
        isolationLevel: 'repeatable read',
        accessMode: 'read only',
      })
    })
  const readOne = (statement: Statement, params: Params) =>
    driver.inTurn(async () => resultOf(await db.execute(bound(statement, textual(params)))).rows)

  return {
    tables,
    capabilities: capabilitiesOf(driver),
    limits: defaultLimits,
    expressions,
    migrations: allMigrations,
    lockWait: options.lockWait ?? 5_000,
    migrationStart: [
      // The lock first: of two that make a schema at once, one fails.
      {
        sql: sql.raw(
          `select pg_advisory_xact_lock(hashtextextended(${schema === undefined ? 'current_schema()' : `'${schema}'`} || '.${names.migrations}', 0))`,
        ),
      },
      ...(schema === undefined ? [] : [{ sql: sql.raw(createSchema(schema)) }]),
    ],
    existingTables: {
      sql: sql.raw(`select c.relname::text as "name" from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where n.nspname = ${schema === undefined ? 'current_schema()' : `'${schema}'`} and c.relkind in ('r', 'p')`),
    },
    named: ({ statements }) =>
      statements.map((statement) => withNames(statement, { ...names, in: schema === undefined ? '' : `"${schema}".` })),
    failureOf,
    read: (script, call) => readLazily(script, call, readOne, (whole) => readInTransaction(whole, call)),
    write: (script, call) =>
      driver.inTurn(() => {
        call.check()
        return db.transaction(
          async (tx) => {
            const answer = await runAsync(script(executorTx(tx)), () => call.check())
            call.committing()
            return answer
          },
          { isolationLevel: 'read committed' },
        )
      }),
    async appendEvents(append, call) {
      const { statement, params } = appendStatement(append, appendFor)
      try {
        const rows = await driver.inTurn(() => {
          call.committing()
          return prepared(statement, params)
        })
        return appendedBy(rows)
      } catch (error) {
        const { kind, driverCode } = failureOf(error)
        if (kind === 'duplicate' || driverCode === checkViolation) return undefined
        throw error
      }
    },
    async loadSession(shape, params, call) {
      const rows = await driver.inTurn(() => {
        call.check()
        return prepared(loadFor(shape), params)
      })
      return loadedBy(rows)
    },
    server: (call): Promise<Server> =>
      driver.inTurn(() => {
        call.check()
        return probe(db)
      }),
    close,
  }
}

/** Not CREATE SCHEMA IF NOT EXISTS: it asks for a right that a role which owns its schema may not have. */
const createSchema = (schema: string) =>
  `do $$ begin if not exists (select from pg_catalog.pg_namespace where nspname = '${schema}') then create schema "${schema}"; end if; end $$`

function variantsOf(build: (variant: string) => Statement): (variant: string) => Statement {
  const made = new Map<string, Statement>()
  return (variant) => {
    const statement = made.get(variant) ?? build(variant)
    made.set(variant, statement)
    return statement
  }
}

const textual = (params: Params): Params =>
  Object.fromEntries(Object.entries(params).map(([name, value]) => [name, wire([value])[0] ?? null]))

/** The verbs over whatever executes Drizzle's SQL. */
export const executorTx = (tx: PgExecutor): Tx => ({
  rows: (statement, params = {}) =>
    step(async () => resultOf(await tx.execute(bound(statement, textual(params)))).rows),
  change: (statement, params = {}) =>
    step(async () => resultOf(await tx.execute(bound(statement, textual(params)))).count),
  insertNew: (insert, params = {}) =>
    step(async () => resultOf(await tx.execute(bound(insertNewStatement(insert), textual(params)))).rows.length > 0),
})

const marker = 'daybook.joined'

/**
 * A driver goes on outside of a transaction that has ended, and what is written there would stay. A setting that ends with
 * the transaction tells. Who joins a transaction second, or inside a savepoint, finds the mark of the first and takes it.
 */
export function stillOpenIn(tx: Tx, joinId: string): () => Script<void> {
  const mark = {
    sql: sql.raw(
      `select set_config('${marker}', coalesce(nullif(current_setting('${marker}', true), ''), '${joinId}'), true) as "id"`,
    ),
  }
  const read = { sql: sql.raw(`select current_setting('${marker}', true) as "id"`) }
  let found: unknown
  return function* stillOpen() {
    try {
      found ??= (yield* tx.rows(mark))[0]?.['id']
      const [row] = yield* tx.rows(read)
      if (row?.['id'] === found) return
    } catch (error) {
      // PGlite asks the server nothing more, and its error has no code.
      if (failureOf(error).driverCode === undefined) throw transactionOver(error)
      throw error
    }
    throw transactionOver()
  }
}

const transactionOver = (cause?: unknown) =>
  new StoreError('closed', 'the transaction that this store had joined is over', { cause })

const capabilitiesOf = ({ isSingle }: Driver): Capabilities => ({
  memories: 'no',
  artifacts: 'no',
  metrics: 'no',
  lease: 'no',
  jsonPathFilter: 'no',
  jsonPathIndex: 'no',
  fullTextSearch: 'no',
  vectorSearch: 'no',
  callerTransaction: 'yes',
  persistent: 'yes',
  concurrentWriters: isSingle ? 'no' : 'yes',
  foreignKeys: 'yes',
  skipLocked: 'yes',
  windowFunctions: 'yes',
  transactionalDdl: 'yes',
  liveNotify: 'no',
  isolation: 'read committed',
})
