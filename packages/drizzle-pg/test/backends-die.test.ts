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
  { timeout: 60_000 },
  async (way) => {
    const store = await migratedStore()
    const key = { appName: 'killed', userId: 'ann', sessionId: 's1' }
    await store.sessions.create(key)
    const applicationName = freshName()
    const admin = client({ max: 1 })
    const ms = 4_000
    let kills = 0
    const killing = async () => {
      const until = performance.now() + ms + 1_500 // the child takes a while to start
      while (performance.now() < until) {
        const killed = await admin`
          select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = ${applicationName} order by random() limit 2`
        kills += killed.length
        await wait(15)
      }
    }
    const [said] = await Promise.all([
      program('killed-child.ts', { schema: store.schema, applicationName, way, ms }) as Promise<Said>, // what it prints
      killing(),
    ])
    expect(kills).toBeGreaterThan(50)
    expect(said.acknowledged.length).toBeGreaterThan(0)
    // What was cut off is told as what it was, and nothing else goes wrong.
    const expected = ['unavailable', 'outcome_unknown', 'timeout', 'busy']
    expect(Object.keys(said.codes).filter((code) => !expected.includes(code))).toEqual([])
    expect(said.after).toEqual(Array.from({ length: 8 }, () => true))
    const written = await admin.unsafe(`select event_id, seq::int from "${store.schema}".daybook_events order by seq`)
    const ids = written.map((row) => String(row['event_id']))
    expect(said.acknowledged.filter((id) => !ids.includes(id))).toEqual([])
    expect(new Set(ids).size).toBe(ids.length)
    expect(written.map((row) => Number(row['seq']))).toEqual(ids.map((_, i) => i + 1))
  },
)
