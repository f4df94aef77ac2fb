import { checkedOptions, isStoreError, type Call, type Health } from '@daybook/core'
import type { Dialect } from './dialect.ts'
import type { Schema } from './migrate.ts'
import type { Performer } from './perform.ts'

interface Parts {
  readonly dialect: Dialect
  readonly schema: Schema
  readonly performer: Performer
}

/** A database that cannot be reached is an answer, not an error. */
export async function healthOf({ dialect, schema, performer }: Parts, options: unknown, call: Call): Promise<Health> {
  const { deep } = checkedOptions(options, ['deep'])
  const pool = dialect.pool?.()
  try {
    const begun = performance.now()
    const server = await performer.attempt(call, () => dialect.server(call))
    const latency = performance.now() - begun
    const schemaVersion = await performer.run('read', schema.current, call)
    const expected = dialect.migrations.at(-1)?.id
    const warnings = [...server.warnings]
    if (schemaVersion !== expected)
      warnings.push(
        `the schema is at ${schemaVersion ?? 'nothing'}, and this version needs ${expected}; run store.migrate()`,
      )
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
