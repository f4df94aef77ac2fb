import { checkedFlag, checkedOptions, isStoreError, StoreError, type Call, type Health } from '@daybook/core'
import type { Dialect, Server } from './dialect.ts'
import { storeErrorOf } from './errors.ts'
import type { Schema } from './migrate.ts'
import { driftOf, type Drift } from './schema-drift.ts'

/** What a database says when it is asked how it is. */
export interface Condition {
  readonly server: Server
  /** Milliseconds of one round trip. */
  readonly latency: number
  readonly schemaVersion: string | undefined
  /** Looked for where it was asked for, and there are tables. */
  readonly drift?: Drift
}

interface Parts {
  readonly dialect: Pick<Dialect, 'migrations' | 'failureOf' | 'pool'>
  readonly ask: (call: Call, isDeep: boolean) => Promise<Condition>
}

/** What is left of the call's time to answer in, once the database was given up. */
const share = 0.8

/** A database that does not answer is an answer, not an error; so it is asked once, and not for the whole of the time. */
export async function healthOf({ dialect, ask }: Parts, options: unknown, call: Call): Promise<Health> {
  const isDeep = checkedFlag(checkedOptions(options, ['deep'])['deep'], 'deep')
  const expected = dialect.migrations.at(-1)?.id
  const pool = dialect.pool === undefined ? {} : { pool: dialect.pool() } // as it is now, without what this call takes
  const asked = ask(call, isDeep)
  asked.catch(() => {}) // when it is given up, what becomes of it is not told
  try {
    const { server, latency, schemaVersion, drift } = await Promise.race([asked, givenUp(call)])
    const warnings = [...server.warnings, ...(drift?.broken ?? []), ...(drift?.slow ?? [])]
    if (schemaVersion !== expected) {
      const found = schemaVersion ?? 'nothing'
      warnings.push(`the schema is at ${found}, and this version needs ${expected}; run store.migrate()`)
    }
    const { flavour, version, settings } = server
    const ok = schemaVersion === expected && (drift === undefined || drift.broken.length === 0)
    return { ok, flavour, version, latency, schemaVersion, warnings, ...pool, ...(isDeep && { settings }) }
  } catch (error) {
    call.check()
    const known = isStoreError(error) ? error : storeErrorOf(dialect.failureOf(error), error)
    const unknown = { flavour: 'unknown', version: 'unknown', latency: undefined, schemaVersion: undefined }
    return { ok: false, ...unknown, warnings: [`${known.code}: ${known.message}`], ...pool }
  }
}

export async function conditionOf(dialect: Dialect, schema: Schema, call: Call, isDeep: boolean): Promise<Condition> {
  const begun = performance.now()
  const server = await dialect.server(call)
  const latency = performance.now() - begun
  const schemaVersion = await dialect.read(schema.current, call)
  if (!isDeep || schemaVersion === undefined) return { server, latency, schemaVersion }
  return { server, latency, schemaVersion, drift: await dialect.read((tx) => driftOf(dialect, tx), call) }
}

const givenUp = (call: Call): Promise<never> =>
  new Promise((_, reject) => {
    const ms = (call.deadline - performance.now()) * share
    setTimeout(() => reject(new StoreError('timeout', 'the database did not answer in time')), ms).unref()
  })
