import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeEach, expect, test } from 'vitest'
import { key, needsServer, newPlace, openedStore } from './places.ts'

beforeEach(needsServer)

const run = promisify(execFile)
// Node 20 strips no types: the suite's hook does.
const loader = new URL('../../conformance/bin/typescript.mjs', import.meta.url).href
const script = fileURLToPath(new URL('appending-child.ts', import.meta.url))

async function child(args: object): Promise<readonly number[]> {
  const node = ['--conditions=@daybook/source', '--import', loader, script, JSON.stringify(args)]
  const { stdout } = await run(process.execPath, node, { timeout: 290_000 })
  return JSON.parse(stdout) as number[] // what the script says
}

test(
  '32 processes append to one session: nothing is lost, nothing doubled, and each finds its events in its order',
  { timeout: 300_000 },
  async () => {
    const [processes, count] = [32, 5]
    const { url } = await newPlace()
    const store = await openedStore(url)
    await store.migrate()
    await store.sessions.create(key)
    const startAt = Date.now() + 5_000
    const answered = await Promise.all(
      Array.from({ length: processes }, (_, i) => child({ url, key, name: `p${i}`, count, startAt })),
    )
    const session = await store.sessions.get(key, { events: 'all' })
    const events = session?.events ?? []
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: processes * count }, (_, i) => i + 1))
    expect(Object.keys(session?.state ?? {})).toHaveLength(processes * count)
    for (const [i, seqs] of answered.entries()) {
      const own = events.filter(({ event }) => event.id.startsWith(`p${i}-`))
      expect(own.map(({ event }) => event.id)).toEqual(Array.from({ length: count }, (_, n) => `p${i}-${n}`))
      expect(own.map(({ seq }) => seq)).toEqual(seqs)
    }
  },
)
