import { setTimeout as wait } from 'node:timers/promises'
import { isStoreError } from '@daybook/core'
import { drizzle } from 'drizzle-orm/node-postgres'
import { Client, Pool } from 'pg'
import { createPgStore, openPgStore } from '../src/index.ts'

// A process of its own, whose backends are killed from outside: it works with a pool that is busy, and says what it was told.
interface Given {
  readonly url: string
  readonly schema: string
  readonly applicationName: string
  readonly way: 'opened' | 'handed over'
}

const { url, schema, applicationName, way } = JSON.parse(process.argv[2] ?? '{}') as Given // as processes.ts sends it

async function opened() {
  if (way === 'opened') {
    const own = await openPgStore({ url, schema, applicationName, max: 4, timeout: 4_000 })
    return { store: own, end: async () => {} }
  }
  const pool = new Pool({ connectionString: url, application_name: applicationName, max: 4 })
  pool.on('error', () => {}) // as the README asks for
  return { store: await createPgStore(drizzle({ client: pool }), { schema, timeout: 4_000 }), end: () => pool.end() }
}

/** Opening asks the server once; here that may be cut off too. */
async function openedAtLast(): ReturnType<typeof opened> {
  for (let tries = 1; ; tries++) {
    try {
      return await opened()
    } catch (error) {
      if (tries === 50) throw error
    }
  }
}

const { store, end } = await openedAtLast()
const key = { appName: 'killed', userId: 'ann', sessionId: 's1' }
const acknowledged: string[] = []
const codes: Record<string, number> = {}
const over = new AbortController()

/** The other side makes a table when it has killed enough; nobody kills the connection that looks for it. */
async function untilOver(): Promise<void> {
  const watch = new Client({ connectionString: url })
  await watch.connect()
  for (;;) {
    const { rows } = await watch.query<{ found: string | null }>('select to_regclass($1) as found', [
      `"${schema}".quiet`,
    ])
    if (rows[0]?.found !== null) break
    await wait(100)
  }
  over.abort()
  await watch.end()
}

async function attempted(work: () => Promise<unknown>): Promise<boolean> {
  try {
    await work()
    return true
  } catch (error) {
    const code = isStoreError(error) ? error.code : String(error)
    codes[code] = (codes[code] ?? 0) + 1
    return false
  }
}

async function appendsAlone(worker: number): Promise<void> {
  for (let i = 0; !over.signal.aborted; i++) {
    const id = `a${worker}-${i}`
    if (await attempted(() => store.events.append(key, { id }))) acknowledged.push(id)
  }
}

/** Idle between two statements of its transaction, where a driver has nobody to tell that the backend died. */
async function appendsInTransactions(worker: number): Promise<void> {
  for (let i = 0; !over.signal.aborted; i++) {
    const id = `t${worker}-${i}`
    const whole = () =>
      store.transaction(async (_tx, inside) => {
        await inside.sessions.get(key)
        await wait(20)
        await inside.events.append(key, { id })
        await wait(5)
      })
    if (await attempted(whole)) acknowledged.push(id)
  }
}

await Promise.all([
  untilOver(),
  ...[0, 1, 2, 3, 4, 5].flatMap((worker) => [appendsAlone(worker), appendsInTransactions(worker)]),
])
// Nobody kills any more: every connection of the pool has to be usable, so that none was lost for good.
const after = await Promise.all(
  Array.from({ length: 8 }, (_, i) => attempted(() => store.sessions.update(key, { set: { [`k${i}`]: i } }))),
)
await store.close()
await end()
console.log(JSON.stringify({ acknowledged, codes, after }))
