import { drizzle } from 'drizzle-orm/node-postgres'
import { randomBytes } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { createPgStore } from '../src/index.ts'
import { key, newSchema, nodePool } from './places.ts'
import { needsServer } from './server.ts'

beforeEach(needsServer)

/** What comes between two statements of a transaction. */
let between: (() => Promise<unknown>) | undefined

/** A store whose connections let `between` happen before the first statement that reads pieces. */
async function storeWithGap() {
  const schema = newSchema()
  const pool = nodePool({ max: 4 })
  pool.on('connect', (connection) => {
    const query = connection.query.bind(connection) as (...args: readonly unknown[]) => Promise<unknown> // without a callback
    const waiting = async (...args: readonly unknown[]) => {
      if (
        between !== undefined &&
        /select.*"bytes".*from.*artifact_chunks/is.test(JSON.stringify(args[0]).replaceAll('\\"', '"'))
      ) {
        const work = between
        between = undefined
        await work()
      }
      return query(...args)
    }
    Object.assign(connection, { query: waiting })
  })
  const db = drizzle({ client: pool })
  const store = await createPgStore(db, { schema })
  await store.migrate()
  await store.sessions.create(key)
  return { db, store }
}

test('a version that is deleted while a transaction of the application loads it is none, and another one in its place is loaded', async () => {
  const { db, store } = await storeWithGap()
  const file = { ...key, name: 'a' }
  const [first, second] = [randomBytes(300_000), randomBytes(300_001)]
  const loaded = () => db.transaction((tx) => store.using(tx).artifacts.load(file))

  await store.artifacts.save(file, first)
  between = () => store.artifacts.delete(file)
  expect(await loaded()).toBeUndefined()
  expect(between).toBeUndefined()

  await store.artifacts.save(file, first)
  between = async () => {
    await store.artifacts.delete(file)
    await store.artifacts.save(file, second)
  }
  expect(Buffer.from((await loaded())?.bytes ?? []).equals(second)).toBe(true)
  expect(between).toBeUndefined()
})
