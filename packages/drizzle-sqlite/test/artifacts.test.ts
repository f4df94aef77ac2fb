import { openSqliteStore, type SqliteStoreOptions } from '@daybook/drizzle-sqlite'
import { sql } from 'drizzle-orm'
import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { aesGcm, deflate } from '../../drizzle/test/codecs.ts'
import { overVerbs, textOf } from '../../drizzle/test/dialect-patch.ts'
import { askClient } from './drivers.ts'
import { openPatched } from './patched-store.ts'
import { key, newPath } from './places.ts'

async function opened(path: string, options: SqliteStoreOptions = {}) {
  const store = await openSqliteStore({ url: `file:${path}`, ...options })
  onTestFinished(() => store.close())
  await store.migrate()
  return store
}

const file = { ...key, name: 'a' }
const secret = 'S3CRET'
const plain = Buffer.from(secret.repeat(100_000)) // three pieces
const options = { mimeType: 'text/plain', metadata: { secret } }

async function* stream() {
  yield plain
}

describe('a codec', () => {
  test('shows nothing of the bytes, of their sum and of the metadata, and each piece is bound to its place', async () => {
    const path = newPath()
    const store = await opened(path, { codec: aesGcm('k1', randomBytes(32)) })
    await store.sessions.create(key)
    const { sha256 } = await store.artifacts.save(file, plain, options)
    await store.artifacts.save({ ...file, name: 'b' }, plain, options)
    expect(await store.artifacts.load(file)).toMatchObject({ ...options, sha256, size: plain.byteLength })
    expect(Buffer.from((await store.artifacts.load(file))?.bytes ?? []).equals(plain)).toBe(true)

    const chunks = store.db.all<{ bytes: Uint8Array; n: number }>(sql`select n, bytes from daybook_artifact_chunks`)
    expect(chunks).toHaveLength(6)
    for (const { bytes } of chunks) expect(Buffer.from(bytes).includes(secret)).toBe(false)
    const versions = store.db.all<Record<string, unknown>>(sql`select * from daybook_artifact_versions`)
    expect(JSON.stringify(versions)).not.toMatch(new RegExp(`${secret}|${sha256}`))
    expect(versions[0]).toMatchObject({ sha256: null, codec: 'k1', mime_type: 'text/plain', chunks: 3 })

    // One piece in the place of another, then one version's record in the place of another's.
    store.db.run(sql`update daybook_artifact_chunks set n = 9 - n`)
    store.db.run(sql`update daybook_artifact_chunks set n = case n when 9 then 1 when 8 then 0 else 2 end`)
    await expect(store.artifacts.load(file)).rejects.toMatchObject({ code: 'corrupt' })
    store.db.run(
      sql`update daybook_artifact_versions set metadata = (select metadata from daybook_artifact_versions where aid = 2) where aid = 1`,
    )
    await expect(store.artifacts.versions(file)).rejects.toMatchObject({ code: 'corrupt' })
  })

  test('is told by its id: old versions are read by their own, and without it by nobody', async () => {
    const path = newPath()
    const [first, second] = [aesGcm('k1', randomBytes(32)), aesGcm('k2', randomBytes(32))]
    const unencrypted = await opened(path)
    await unencrypted.sessions.create(key)
    const saved = await unencrypted.artifacts.save(file, plain, { ...options, saveId: 'x' })
    await (await opened(path, { codec: first })).artifacts.save(file, plain, options)
    const rotated = await opened(path, { codec: [second, first, deflate] })
    expect(await rotated.artifacts.save(file, plain, options)).toMatchObject({ version: 2 })
    for (const version of [0, 1, 2])
      expect(await rotated.artifacts.load(file, { version })).toMatchObject({
        sha256: saved.sha256,
        metadata: { secret },
      })
    // A save is known again, whatever wrote it.
    expect(await rotated.artifacts.save(file, plain, { ...options, saveId: 'x' })).toEqual({
      ...saved,
      duplicate: true,
    })
    for (const [version, named] of [
      [1, 'k1'],
      [2, 'k2'],
    ] as const) {
      const refused = await unencrypted.artifacts.load(file, { version }).catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'unsupported', facts: { capability: 'codec' } })
      expect(String(refused)).toContain(named)
    }
    expect(await unencrypted.artifacts.delete(file)).toBe(true)
  })
})

describe('in a script', () => {
  test('files are saved and loaded with what else it does, or not at all', async () => {
    const store = await opened(newPath())
    await store.sessions.create(key)
    const loaded = await store.transaction(function* (_tx, inside) {
      yield* inside.artifacts.save(file, plain, options)
      yield* inside.events.append(key, { id: 'e1' })
      return yield* inside.artifacts.load(file)
    })
    expect(loaded).toMatchObject({ version: 0, size: plain.byteLength })
    const failing = store.transaction(function* (_tx, inside) {
      yield* inside.artifacts.save(file, plain)
      throw new Error('changed its mind')
    })
    await expect(failing).rejects.toThrow('changed its mind')
    expect((await store.artifacts.versions(file)).items).toHaveLength(1)
    expect(store.db.all(sql`select n from daybook_artifact_chunks`)).toHaveLength(3)
  })

  test('streams are refused, which a script cannot wait for', async () => {
    const store = await opened(newPath())
    await store.sessions.create(key)
    const saving = store.transaction((_tx, inside) => inside.artifacts.save(file, stream()))
    await expect(saving).rejects.toMatchObject({ code: 'invalid_argument', facts: { field: 'content' } })
    const loading = store.transaction(function* (_tx, inside) {
      return yield* inside.artifacts.load(file, { stream: true } as object)
    })
    await expect(loading).rejects.toMatchObject({ code: 'invalid_argument', facts: { field: 'stream' } })
  })
})

test('an area that is left out is refused everywhere, and its files go with their session and their user all the same', async () => {
  const path = newPath()
  const whole = await opened(path)
  for (const sessionId of ['s1', 's2']) await whole.sessions.create({ ...key, sessionId })
  for (const sessionId of ['s1', 's2']) await whole.artifacts.save({ ...file, sessionId }, plain)
  await whole.artifacts.save({ ...file, name: 'user:a' }, plain)
  const store = await opened(path, { areas: [] })
  const refused = { code: 'unsupported', facts: { capability: 'artifacts' } }
  expect(store.capabilities.artifacts).toBe('no')
  await expect(store.artifacts.save(file, plain)).rejects.toMatchObject(refused)
  await expect(store.artifacts.sweep({ appName: 'shop' })).rejects.toMatchObject(refused)
  await expect(store.transaction((_tx, inside) => inside.artifacts.load(file))).rejects.toMatchObject(refused)
  expect(await store.sessions.delete(key)).toBe(true)
  expect(await store.erase(key)).toMatchObject({ sessions: 1, artifacts: 2 })
  expect(store.db.all(sql`select 1 from daybook_artifact_chunks`)).toEqual([])
})

test('bytes of every length around what one transaction writes come back', async () => {
  const store = await opened(newPath())
  await store.sessions.create(key)
  const most = 2 * 1024 * 1024
  for (const size of [most - 1, most, most + 1, 3 * most + 17]) {
    const bytes = randomBytes(size)
    await store.artifacts.save({ ...file, name: `n${size}` }, bytes)
    expect(Buffer.from((await store.artifacts.load({ ...file, name: `n${size}` }))?.bytes ?? []).equals(bytes)).toBe(
      true,
    )
  }
})

test('pieces that come after their user was erased are refused, and none of them stays', async () => {
  const store = await opened(newPath())
  await store.sessions.create(key)
  const pieces = () => store.db.all(sql`select n from daybook_artifact_chunks`).length
  const seen: number[] = []
  async function* erasedInBetween() {
    for (let i = 0; i < 9; i++) yield randomBytes(256 * 1024)
    seen.push(pieces())
    await store.erase(key)
    seen.push(pieces())
    for (let i = 0; i < 4; i++) yield randomBytes(256 * 1024)
    seen.push(pieces()) // nobody asks for more once a piece was refused
  }
  const saving = store.artifacts.save({ ...file, name: 'user:a' }, erasedInBetween())
  await expect(saving).rejects.toMatchObject({ code: 'not_found' })
  expect([seen, pieces()]).toEqual([[8, 0], 0])
})

test('a sweep goes on to its end though a save that it found is recorded meanwhile', async () => {
  const path = newPath()
  await opened(path)
  const left = Array.from({ length: 250 }, (_, i) => `00000000-0000-7000-8000-${String(i).padStart(12, '0')}`)
  let recorded = left.slice(0, 2)
  const patch = overVerbs((tx) => ({
    ...tx,
    *rows(statement, params = {}) {
      const { uploadId } = params
      if (!recorded.includes(String(uploadId)) || !/\bjoin\b/.test(textOf(statement.sql)))
        return yield* tx.rows(statement, params)
      recorded = recorded.filter((one) => one !== uploadId) // at the first look
      return [{ one: 1 }]
    },
  }))
  const store = await openPatched.sqlite(path, { onStatement: undefined, patch, options: {} })
  onTestFinished(() => store.close())
  const insert = 'insert into daybook_artifact_chunks (app_name, user_id, upload_id, n, bytes) values'
  await askClient(`file:${path}`, `${insert} ${left.map((id) => `('shop', 'ann', '${id}', 0, x'00')`).join(', ')}`)
  expect(await store.artifacts.sweep({ appName: 'shop' })).toEqual({ uploads: 250, dryRun: false })
})
