import { openSqliteStore } from '@daybook/drizzle-sqlite'
import { eq, sql } from 'drizzle-orm'
import { blob, integer, real, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { describe, expect, test } from 'vitest'
import { nativeValue } from '../src/native.ts'

const notes = sqliteTable('notes', {
  id: integer().primaryKey({ autoIncrement: true }),
  title: text().notNull(),
  done: integer({ mode: 'boolean' }),
  at: integer({ mode: 'timestamp_ms' }),
  score: real(),
  bytes: blob({ mode: 'buffer' }),
  extra: text({ mode: 'json' }).$type<{ tags: string[] }>(),
})
const createNotes = sql`create table notes (id integer primary key autoincrement, title text not null unique, done integer, at integer, score real, bytes blob, extra text)`

async function withNotes() {
  const store = await openSqliteStore({ url: ':memory:' })
  store.db.run(createNotes)
  return store
}

describe('Drizzle over the connection that the store opened', () => {
  test('every kind of column makes the round trip', async () => {
    await using store = await withNotes()
    const { db } = store
    const note = {
      title: 'a "b" é 😀',
      done: true,
      at: new Date(1_700_000_000_123),
      score: 0.1,
      bytes: Buffer.from([0, 255]),
      extra: { tags: ['x'] },
    }
    const [inserted] = db.insert(notes).values(note).returning().all()
    expect(inserted).toEqual({ id: 1, ...note })
    db.insert(notes).values({ title: 'empty' }).run()
    expect(db.select().from(notes).where(eq(notes.title, 'empty')).get()).toEqual({
      id: 2,
      title: 'empty',
      done: null,
      at: null,
      score: null,
      bytes: null,
      extra: null,
    })
    expect(db.select({ at: notes.at }).from(notes).where(eq(notes.at, note.at)).all()).toEqual([{ at: note.at }])
    expect(db.get(sql`select 1 as one where 0`)).toBeUndefined()
    expect(db.values(sql`select id, title from notes where id = ${2}`)).toEqual([[2, 'empty']])
  })

  test('run answers changes, also with RETURNING, and later commits succeed', async () => {
    await using store = await withNotes()
    const { db } = store
    expect(
      db
        .insert(notes)
        .values([{ title: 'a' }, { title: 'b' }])
        .run(),
    ).toMatchObject({ changes: 2 })
    expect(db.run(sql`update notes set score = 1 returning id`)).toMatchObject({ changes: 2 })
    db.transaction((tx) => tx.insert(notes).values({ title: 'c' }).run())
    expect(db.select().from(notes).all()).toHaveLength(3)
  })

  test('a transaction rolls back on an error, a nested one by itself, and one that fails leaves the next alone', async () => {
    await using store = await withNotes()
    const { db } = store
    const failure = new Error('no')
    const failing = () =>
      db.transaction((tx) => {
        tx.insert(notes).values({ title: 'gone' }).run()
        throw failure
      })
    expect(failing).toThrow(failure)
    expect(() =>
      db.transaction((tx) =>
        tx
          .insert(notes)
          .values([{ title: 'same' }, { title: 'same' }])
          .run(),
      ),
    ).toThrow(expect.anything())
    db.transaction((tx) => {
      tx.insert(notes).values({ title: 'outer' }).run()
      expect(() =>
        tx.transaction((nested) => {
          nested.insert(notes).values({ title: 'inner' }).run()
          nested.rollback()
        }),
      ).toThrow(expect.anything())
    })
    expect(db.select({ title: notes.title }).from(notes).all()).toEqual([{ title: 'outer' }])
  })

  test('numbers are stored as what they are: whole ones as INTEGER, in whatever column', async () => {
    await using store = await withNotes()
    const kinds = store.db.get<Record<string, string>>(
      sql`select typeof(${5}) as whole, typeof(${0.5}) as fraction, typeof(${true}) as yes, typeof(${9n}) as big, typeof(${null}) as missing`,
    )
    expect(kinds).toEqual({ whole: 'integer', fraction: 'real', yes: 'integer', big: 'integer', missing: 'null' })
  })

  test('what the binding would abort the process on is a TypeError', async () => {
    await using store = await withNotes()
    for (const value of [new Date(), { a: 1 }, [1], Symbol('s'), () => 1])
      expect(() => nativeValue(value)).toThrow(TypeError)
    expect(() => store.db.run(sql`insert into notes (title) values (${new Date()})`)).toThrow(
      expect.objectContaining({ cause: expect.any(TypeError) }),
    )
    expect([undefined, null, false].map(nativeValue)).toEqual([null, null, 0n])
  })
})
