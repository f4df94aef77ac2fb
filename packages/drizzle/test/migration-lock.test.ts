import { expect, test } from 'vitest'
import { runAsync, step, type Statement, type Tx } from '../src/index.ts'
import { sql } from 'drizzle-orm'
import { underMigrationLock } from '../src/migrate.ts'

const lock = { migrationStart: [{ sql: sql.raw('take') }], migrationEnd: [{ sql: sql.raw('give back') }] }

/** A connection that is lost: after its first statement each one fails in a way of its own. */
function lostAfterFirst() {
  let sent = 0
  const rows = (_statement: Statement) =>
    step(async () => {
      sent++
      if (sent > 1) throw new RangeError(`statement ${sent}`)
      return []
    })
  const tx = { rows } as unknown as Tx // nothing else is asked of it
  return { tx, sent: () => sent }
}

test('what ended a change of the schema is told, though the lock could not be given back after it', async () => {
  const { tx, sent } = lostAfterFirst()
  const migrating = runAsync(underMigrationLock(lock, tx, () => tx.rows({ sql: sql.raw('create') })))
  await expect(migrating).rejects.toThrow('statement 2')
  expect(sent()).toBe(3)
})

test('where nothing failed before, a lock that cannot be given back is told', async () => {
  const { tx } = lostAfterFirst()
  const migrating = runAsync(underMigrationLock(lock, tx, () => step(() => 'done')))
  await expect(migrating).rejects.toThrow('statement 2')
})
