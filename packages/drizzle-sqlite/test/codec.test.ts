import { createSqliteStore, openSqliteStore, type SqliteStoreOptions } from '@daybook/drizzle-sqlite'
import { createClient } from '@libsql/client'
import { drizzle } from 'drizzle-orm/libsql'
import { describe, expect, onTestFinished, test } from 'vitest'
import { codecPromises, type CodecPlace } from '../../drizzle/test/codec-promises.ts'
import { aesGcm, deflate } from '../../drizzle/test/codecs.ts'
import { askClient, createFile, openFile } from './drivers.ts'
import { key, newPath } from './places.ts'

async function newPlace(driver: 'sqlite' | 'libsql-client'): Promise<CodecPlace> {
  const path = newPath()
  await createFile(driver, path)
  const ask = (text: string, values: readonly string[] = []) => askClient(`file:${path}`, text, values)
  const open = async (options?: SqliteStoreOptions) => {
    const store = await openFile[driver](path, options)
    onTestFinished(() => store.close())
    return store
  }
  await (await open()).migrate()
  return {
    open,
    payloads: async () =>
      Object.fromEntries(
        (await ask('select event_id, payload from daybook_events')).map((row) => [row['event_id'], row['payload']]),
      ) as Record<string, string>, // two columns of text
    states: async () =>
      (
        await ask(
          'select state from daybook_sessions union all select initial_state from daybook_sessions union all select state from daybook_user_states union all select state from daybook_app_states',
        )
      ).map((row) => String(row['state'])),
    setPayload: async (eventId, text) =>
      void (await ask('update daybook_events set payload = ? where event_id = ?', [text, eventId])),
    setState: async (text) => void (await ask('update daybook_sessions set state = ?', [text])),
  }
}

describe.each(['sqlite', 'libsql-client'] as const)('a codec over %s', (driver) => {
  codecPromises(() => newPlace(driver))
})

describe('a codec in transactions of the application', () => {
  const codec = aesGcm('k1', Buffer.alloc(32, 1))

  test('works in a script', async () => {
    await using store = await openSqliteStore({ url: ':memory:', codec })
    await store.migrate()
    const session = await store.sessions.create(key)
    const state = await store.transaction(function* (_tx, inside) {
      yield* inside.events.append(session, { id: 'e1', actions: { stateDelta: { a: 1 } } })
      return (yield* inside.sessions.get(session, { events: 'all' }))?.state
    })
    expect(state).toEqual({ a: 1 })
    const [row] = store.db.select().from(store.tables.events).all()
    expect(row?.payload, 'for the application it is what the codec wrote').toEqual({
      codec: 'k1',
      data: expect.any(String),
    })
  })

  test('works in one that it joins', async () => {
    const client = createClient({ url: `file:${newPath()}` })
    onTestFinished(() => client.close())
    const db = drizzle({ client })
    const store = await createSqliteStore(db, { codec })
    await store.migrate()
    const session = await store.sessions.create(key)
    await db.transaction(async (tx) => {
      await store.using(tx).events.append(session, { id: 'e1', actions: { stateDelta: { a: 1 } } })
    })
    expect(await store.sessions.get(session, { events: 'all' })).toMatchObject({
      state: { a: 1 },
      events: [{ seq: 1 }],
    })
  })
})

test.for<[unknown, string]>([
  [[], 'codec'],
  [null, 'codec'],
  [{ ...deflate, id: 'a:b' }, 'codec.id'],
  [{ ...deflate, id: '' }, 'codec.id'],
  [{ ...deflate, encode: undefined }, 'codec.encode'],
  [[deflate, { id: 'other' }], 'codec[1].encode'],
  [[deflate, { ...deflate }], 'codec[1].id'],
])('%o is no codec, and nothing is opened', async ([codec, field]) => {
  const url = `file:${newPath()}/no/such/folder` as const
  await expect(openSqliteStore({ url, codec } as { url: typeof url })).rejects.toMatchObject({
    code: 'invalid_argument',
    facts: { field },
  })
})
