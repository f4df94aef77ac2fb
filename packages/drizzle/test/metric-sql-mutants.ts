import { wrapStore } from '@daybook/conformance/mutants'
import { isStoreError, StoreError } from '@daybook/core'
import { bare, type Dialect } from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'
import type { DialectPatch } from './dialect-patch.ts'
import type { SqlMutant } from './sql-mutants.ts'
import { inSelects, isParam, replaced } from './statement-edits.ts'

/** Of what a query is given, its app comes first. */
const appOfQuery = 'metric0'

const inSelectsBy = (name: string, change: (text: SQL, dialect: Dialect) => SQL): DialectPatch =>
  inSelects(({ metrics }) => metrics, name, change)

/** What no index has. */
const byNoIndex = (text: SQL, { tables: { metrics } }: Dialect): SQL =>
  replaced(text, (chunk) => (chunk === metrics.appName ? sql`coalesce(${chunk}, ${chunk})` : chunk))

const ofAnyApp = (text: SQL, { tables: { metrics } }: Dialect) =>
  replaced(text, (chunk) => (isParam(chunk, appOfQuery) ? sql`${metrics.appName}` : chunk))

/** The rows that are newer, as the statement names them, are those of every app. */
const newerInAnyApp = (text: SQL, { tables: { metrics } }: Dialect) =>
  replaced(text, (chunk) =>
    isParam(chunk, 'appName') ? sql`${sql.identifier('other')}.${bare(metrics.appName)}` : chunk,
  )

/** Bugs in what is asked of metrics. */
export const metricSqlMutants: readonly SqlMutant[] = [
  {
    id: 'S29',
    bug: 'metrics of an app are told from others by no index',
    check: 'PRF-01@metrics',
    patch: inSelectsBy(appOfQuery, byNoIndex),
  },
  {
    id: 'S29@tenant',
    bug: 'metrics of all apps are queried',
    check: 'MET-09',
    patch: inSelectsBy(appOfQuery, ofAnyApp),
  },
  {
    id: 'S29@prune',
    bug: 'a trace is old where that of another app is',
    check: 'MET-11',
    patch: inSelectsBy('traces', newerInAnyApp),
  },
  {
    id: 'S29@ids',
    bug: 'a batch of metrics that is ended half-way does not tell the ids that were made',
    check: 'MET-04@ended',
    wrap: (store) =>
      wrapStore(store, {
        metrics: { record: (rows, options) => store.metrics.record(rows, options).catch(withoutIds) },
      }),
  },
]

function withoutIds(error: unknown): never {
  if (!isStoreError(error)) throw error
  const { metricIds: _ids, ...facts } = error.facts
  throw new StoreError(error.code, error.message, { ...facts, cause: error.cause, retryable: error.retryable })
}
