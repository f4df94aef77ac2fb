import { checkedOptions, isStoreError, type Call, type Health } from '@daybook/core'
import type { Dialect } from './dialect.ts'
import type { Schema } from './migrate.ts'

interface Parts {
  readonly dialect: Dialect
  readonly schema: Schema
  readonly run: <T>(call: Call, unit: () => Promise<T>) => Promise<T>
}

/** A database that cannot be reached is an answer, not an error. */
export async function healthOf({ dialect, schema, run }: Parts, options: unknown, call: Call): Promise<Health> {
  const { deep } = checkedOptions(options, ['deep'])
  const pool = dialect.pool?.()
  try {
    const begun = performance.now()
    const server = await run(call, () => dialect.server(call))
    const latency = performance.now() - begun
    const schemaVersion = await run(call, () => dialect.read((tx) => schema.current(tx), call))
    const expected = dialect.migrations.at(-1)?.id
    const warnings = [...server.warnings]
    if (schemaVersion !== expected) warnings.push(`the schema is at ${schemaVersion ?? 'nothing'}, and this version needs ${expected}; run store.migrate()`)
    return {
      ok: schemaVersion === expected,
      flavour: server.flavour,
      version: server.version,
      latency,
      schemaVersion,
      ...(pool !== undefined && { pool }),
      warnings,
      ...(deep === true && { settings: server.settings }),
    }
  } catch (error) {
    if (!isStoreError(error) || (error.code !== 'unavailable' && error.code !== 'busy')) throw error
    return {
      ok: false,
      flavour: 'unknown',
      version: 'unknown',
      latency: undefined,
      schemaVersion: undefined,
      ...(pool !== undefined && { pool }),
      warnings: [error.message],
    }
  }
}
