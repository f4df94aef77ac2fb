import { createDirectoryStorage, StoreError, type ArtifactStorage } from '@daybook/core'
import type { SqliteStoreOptions } from '@daybook/drizzle-sqlite'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { overVerbs, patches, textOf, type DialectPatch } from '../../drizzle/test/dialect-patch.ts'
import { askClient } from './drivers.ts'
import { openPatched } from './patched-store.ts'
import { key, newPath } from './places.ts'

/** The connection is lost with the answer to a commit. */
class Lost extends Error {}

/** Commits what records a version, and then loses the connection, while `isArmed`. */
function losing(lose: (committing: () => void) => never) {
  const fault = { isArmed: false, fired: 0 }
  let recorded = false
  const watching = overVerbs((tx) => ({
    ...tx,
    change(statement, params) {
      if (/^insert into/i.test(textOf(statement.sql)) && params !== undefined && 'saveId' in params) recorded = true
      return tx.change(statement, params)
    },
  }))
  const patch: DialectPatch = (dialect) => ({
    ...dialect,
    failureOf: (error) => (error instanceof Lost ? { kind: 'connection' } : dialect.failureOf(error)),
    async write(script, call) {
      recorded = false
      const answer = await dialect.write(script, call)
      if (!fault.isArmed || !recorded) return answer
      fault.fired++
      return lose(() => call.committing())
    },
  })
  return { fault, patch: patches(watching, patch) }
}

const faults = {
  'told as unknown': (committing: () => void): never => {
    committing()
    throw new Lost()
  },
  'told as something else': (): never => {
    throw new StoreError('unavailable', 'the connection was lost')
  },
}

const bytes = randomBytes(3 * 1024 * 1024)

async function* stream() {
  for (let from = 0; from < bytes.byteLength; from += 500_000) yield bytes.subarray(from, from + 500_000)
}

async function folder(): Promise<ArtifactStorage> {
  const path = await mkdtemp(join(tmpdir(), 'daybook-outcome-'))
  onTestFinished(() => rm(path, { recursive: true, force: true }))
  return createDirectoryStorage(path)
}

const places: Record<string, () => Promise<SqliteStoreOptions>> = {
  'the database': async () => ({}),
  'a storage': async () => ({ artifacts: { storage: await folder() } }),
}

describe.each(Object.entries(faults))('a commit whose loss is %s', (_how, lose) => {
  describe.each(Object.entries(places))('with bytes in %s', (_where, optionsOf) => {
    test.each([
      ['a stream', stream],
      ['bytes', () => bytes],
    ])('leaves a version with its bytes, which a repeat finds: %s', async (_what, content) => {
      const path = newPath()
      const { fault, patch } = losing(lose)
      const store = await openPatched.sqlite(path, { onStatement: undefined, patch, options: await optionsOf() })
      onTestFinished(() => store.close())
      await store.migrate()
      await store.sessions.create(key)
      const file = { ...key, name: 'a' }

      fault.isArmed = true
      await expect(store.artifacts.save(file, content(), { saveId: 'x' })).rejects.toMatchObject({
        code: lose.length > 0 ? 'outcome_unknown' : 'unavailable',
      })
      fault.isArmed = false
      expect(fault.fired).toBe(1)

      const intact = async () => Buffer.from((await store.artifacts.load(file))?.bytes ?? []).equals(bytes)
      expect(await intact()).toBe(true)
      expect(await store.artifacts.save(file, content(), { saveId: 'x' })).toMatchObject({
        version: 0,
        duplicate: true,
      })
      expect(await intact()).toBe(true)
      const uploads = await askClient(`file:${path}`, 'select distinct upload_id from daybook_artifact_chunks')
      expect(uploads, 'of the repeat nothing is left').toHaveLength('artifacts' in (await optionsOf()) ? 0 : 1)
    })
  })
})
