import { setTimeout as wait } from 'node:timers/promises'
import { beforeEach, expect, test } from 'vitest'
import { client, migratedStore } from './places.ts'
import { program } from './processes.ts'
import { freshName, needsServer } from './server.ts'

beforeEach(needsServer)

interface Said {
  readonly acknowledged: string[]
  readonly codes: Record<string, number>
  readonly after: boolean[]
}

test.for(['opened', 'handed over'] as const)(
  'backends that die again and again, in the middle of transactions, end no process, lose nothing that was acknowledged, and keep no connection: %s',
  { timeout: 120_000 },
  async (way) => {
    const store = await migratedStore()
    const key = { appName: 'killed', userId: 'ann', sessionId: 's1' }
    await store.sessions.create(key)
    const applicationName = freshName()
    const admin = client({ max: 1 })
    const killing = async () => {
      for (let kills = 0; kills < 200; await wait(15)) {
        const killed = await admin`
          select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = ${applicationName} order by random() limit 2`
        kills += killed.length
      }
      await admin.unsafe(`create table "${store.schema}".quiet ()`)
    }
    const child = new URL('killed-child.ts', import.meta.url)
    const [said] = await Promise.all([
      program(child, { schema: store.schema, applicationName, way }) as Promise<Said>, // what it prints
      killing(),
    ])
    expect(said.acknowledged.length).toBeGreaterThan(0)
    // What was cut off is told as what it was, and nothing else goes wrong.
    const expected = new Set(['unavailable', 'outcome_unknown', 'timeout', 'busy'])
    expect(Object.keys(said.codes).filter((code) => !expected.has(code))).toEqual([])
    expect(said.after).toEqual(Array.from({ length: 8 }, () => true))
    const written = await admin.unsafe(`select event_id, seq::int from "${store.schema}".daybook_events order by seq`)
    const ids = written.map((row) => String(row['event_id']))
    expect(said.acknowledged.filter((id) => !ids.includes(id))).toEqual([])
    expect(new Set(ids).size).toBe(ids.length)
    expect(written.map((row) => Number(row['seq']))).toEqual(ids.map((_, i) => i + 1))
  },
)
