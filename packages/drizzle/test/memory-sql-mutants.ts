import type { Dialect, Statement } from '@daybook/drizzle'
import { is, sql, SQL, StringChunk, Table } from 'drizzle-orm'
import { overStatements, overVerbs, textOf, type DialectPatch } from './dialect-patch.ts'
import type { SqlMutant } from './sql-mutants.ts'
import { binds, chunksOf, inSelects, isParam, replaced } from './statement-edits.ts'

/** Of memories, of those that bind something under a name. */
const inSelectsBy = (name: string, change: (text: SQL, dialect: Dialect) => SQL): DialectPatch =>
  inSelects(({ memories }) => memories, name, change)

/** Whatever the user is that is asked for: each row is asked for its own. */
const ofAnyUser = (text: SQL, { tables: { memories } }: Dialect): SQL =>
  replaced(text, (chunk) => (isParam(chunk, 'userId') || isParam(chunk, 'sharedId') ? sql`${memories.userId}` : chunk))

const ofAnyApp = (text: SQL, { tables: { memories } }: Dialect): SQL =>
  replaced(text, (chunk) => (isParam(chunk, 'appName') ? sql`${memories.appName}` : chunk))

/** What no index has. */
const byNoIndex = (text: SQL, { tables: { memories } }: Dialect): SQL =>
  replaced(text, (chunk) =>
    chunk === memories.appName || chunk === memories.userId ? sql`coalesce(${chunk}, ${chunk})` : chunk,
  )

const isDelete = ({ sql: text }: Statement, table: Table): boolean =>
  /^\s*delete/i.test(textOf(text)) && chunksOf(text).includes(table)

const isInsert = ({ sql: text }: Statement, table: Table): boolean =>
  /^\s*insert/i.test(textOf(text)) && chunksOf(text).includes(table)

const wordsStay = overVerbs((tx, { tables: { memoryWords } }) => ({
  ...tx,
  *change(statement, params) {
    return isDelete(statement, memoryWords) ? 1 : yield* tx.change(statement, params)
  },
}))

/** In a transaction that took something away. */
const noNewWords = overVerbs((tx, { tables: { memories, memoryWords } }) => {
  let isReplacing = false
  return {
    ...tx,
    *change(statement, params) {
      isReplacing ||= isDelete(statement, memories)
      return isReplacing && isInsert(statement, memoryWords) ? 1 : yield* tx.change(statement, params)
    },
  }
})

/** What an add would take away for it stays, and is not written anew. */
const keepsTheOld = overVerbs((tx, { tables: { memories, memoryWords } }) => {
  let isKept = false
  return {
    ...tx,
    *change(statement, params) {
      isKept ||= isDelete(statement, memories) || isDelete(statement, memoryWords)
      return isKept ? 1 : yield* tx.change(statement, params)
    },
    *insertAll(insert, params) {
      return isKept ? undefined : yield* tx.insertAll(insert, params)
    },
  }
})

const byHitsAlone = overStatements((chunks) =>
  chunks.map((chunk) =>
    is(chunk, StringChunk)
      ? new StringChunk(
          chunk.value.join('').replaceAll(/(hits desc), \w+\.timestamp desc, \w+\.memory_id, \w+\.user_id/g, '$1'),
        )
      : chunk,
  ),
)

/** One less than it takes to tell that there are more. */
const oneTooFew = overVerbs((tx) => ({
  ...tx,
  rows: (statement, params = {}) =>
    tx.rows(
      statement,
      typeof params['limit'] === 'number' && params['limit'] > 1 && /embedding|is not null/.test(textOf(statement.sql))
        ? { ...params, limit: params['limit'] - 1 }
        : params,
    ),
}))

const withDistance =
  (change: (distance: SQL) => SQL): DialectPatch =>
  (dialect) => {
    const { search } = dialect
    const { distance } = search.embeddings
    const changed = distance && {
      ...distance,
      sql: (...given: Parameters<typeof distance.sql>) => change(distance.sql(...given)),
    }
    return { ...dialect, search: { ...search, embeddings: { ...search.embeddings, distance: changed } } }
  }

const withoutDistance: DialectPatch = ({ search, ...dialect }) => ({
  ...dialect,
  search: { ...search, embeddings: { ...search.embeddings, distance: undefined } },
})

/** Bugs in what is written and asked of memories. */
export const memorySqlMutants: readonly SqlMutant[] = [
  {
    id: 'S19',
    bug: 'a memory is read by its id, whosever it is',
    check: 'SEC-06',
    patch: inSelectsBy('memoryId', ofAnyUser),
  },
  {
    id: 'S19@list',
    bug: 'a list of memories is of any app',
    check: 'MEM-04',
    patch: inSelectsBy('limit', (text, dialect) => (binds(text, 'words') ? text : ofAnyApp(text, dialect))),
  },
  {
    id: 'S19@likeness',
    bug: 'embeddings are compared whosever they are',
    check: 'MEM-08',
    patch: inSelectsBy('limit', (text, dialect) => (binds(text, 'words') ? text : ofAnyUser(text, dialect))),
  },
  {
    id: 'S19@delete',
    bug: 'memories are deleted whosever they are',
    check: 'SEC-07',
    patch: inSelectsBy('chunk', ofAnyUser),
  },
  { id: 'S20', bug: 'memories of as many words have no order', check: 'MEM-09', patch: byHitsAlone },
  { id: 'S21', bug: 'a memory that goes leaves its words', check: 'MEM-10@words', patch: wordsStay },
  { id: 'S22', bug: 'what takes the place of a memory has no words', check: 'MEM-07', patch: noNewWords },
  { id: 'S23', bug: 'an add leaves what its id had', check: 'MEM-07', patch: keepsTheOld },
  {
    id: 'S24',
    bug: 'embeddings are compared with those of all apps and users, and then told apart',
    check: 'PRF-01@memories',
    patch: inSelectsBy('limit', (text, dialect) => (binds(text, 'words') ? text : byNoIndex(text, dialect))),
  },
  {
    id: 'S25',
    bug: 'that there are more embeddings than may be compared goes unseen',
    check: 'MEM-08@bound',
    patch: oneTooFew,
  },
  {
    id: 'S26',
    bug: 'the database sends the embeddings that are furthest away',
    check: 'MEM-08@bound',
    patch: withDistance((distance) => sql`(2 - ${distance})`),
  },
  {
    id: 'S26@fact',
    bug: 'embeddings are compared by the store where the database is said to do it',
    check: 'META-03@nativeVectors',
    patch: withoutDistance,
  },
]

/** Where no database compares them. */
export const impossibleWithoutVectors = {
  S26: 'there is no function of vectors here',
  'S26@fact': 'there is no function of vectors here',
} as const
