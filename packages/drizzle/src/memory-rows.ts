import {
  fromMicros,
  fromStorableText,
  toMicros,
  toStorableText,
  type CheckedScope,
  type Memory,
  type MemoryEntry,
} from '@daybook/core'
import { sql, type SQL } from 'drizzle-orm'
import type { Dialect, InsertAll, Params, Row } from './dialect.ts'
import type { Embeddings } from './search.ts'
import { keyedDigest, wordNumbers } from './memory-words.ts'
import { bare, param } from './statements.ts'
import type { StoredForm } from './stored-form.ts'

/** An entry to be written, and what its id has had until now. */
export interface MemoryWrite {
  readonly entry: MemoryEntry
  readonly createdAt: bigint
  readonly updatedAt: bigint
}

export interface MemoryRows {
  readonly isScope: SQL
  /** What {@link MemoryRows.memoryOf} reads. */
  readonly columns: Readonly<Record<string, SQL>>
  readonly insert: InsertAll
  /** The words of entries that were inserted, by their ids. */
  readonly insertWords: SQL
  memoryOf(row: Row): Memory
  /** The lists that {@link MemoryRows.insert} and {@link MemoryRows.insertWords} take. */
  lists(writes: readonly MemoryWrite[], scope: CheckedScope): { readonly entries: string; readonly words: string }
  digestOf(entry: MemoryEntry): string
  /** As what the words of a query are stored in these scopes, under every key that the store knows. */
  numbersOf(words: readonly string[], appName: string, userIds: readonly string[]): string
}

export function createMemoryRows({ tables, expressions, search }: Dialect, form: StoredForm): MemoryRows {
  const { memories, memoryWords } = tables
  const isScope = sql`${memories.appName} = ${param('appName')} and ${memories.userId} = ${param('userId')}`
  const [writer] = form.searchKeys
  // Not a join: a planner that cannot see how long the list is may walk the whole scope instead.
  const midOf = (id: SQL) =>
    sql`(select ${memories.mid} from ${memories} where ${isScope} and ${memories.memoryId} = ${id})`
  const entryText = entryTexts(form, search.embeddings)

  return {
    isScope,
    columns: {
      appName: sql`${memories.appName}`,
      userId: sql`${memories.userId}`,
      memoryId: sql`${memories.memoryId}`,
      sessionId: sql`${memories.sessionId}`,
      eventId: sql`${memories.eventId}`,
      author: sql`${memories.author}`,
      timestamp: expressions.wholeText(memories.timestamp),
      payload: expressions.jsonText(memories.payload),
      createdAt: expressions.wholeText(memories.createdAt),
      updatedAt: expressions.wholeText(memories.updatedAt),
    },
    insert: {
      into: memories,
      target: [memories.appName, memories.userId, memories.memoryId],
      key: memories.memoryId,
      columns: [
        memories.appName,
        memories.userId,
        memories.memoryId,
        memories.sessionId,
        memories.eventId,
        memories.author,
        memories.timestamp,
        memories.payload,
        memories.digest,
        memories.embedding,
        memories.createdAt,
        memories.updatedAt,
      ],
      rows: sql`select ${sql.join(
        [
          expressions.textParam(param('appName')),
          expressions.textParam(param('userId')),
          ofEntry('memoryId'),
          ofEntry('sessionId'),
          ofEntry('eventId'),
          ofEntry('author'),
          ofEntry('timestamp'),
          search.payload(ofEntry('payload')),
          ofEntry('digest'),
          search.embeddings.stored(ofEntry('embedding')),
          ofEntry('createdAt'),
          ofEntry('updatedAt'),
        ],
        sql`, `,
      )} from ${search.entries(param('entries'))}`,
    },
    insertWords: sql`insert into ${memoryWords} (${bare(memoryWords.word)}, ${bare(memoryWords.mid)})
      select entry.word, entry.mid from ${search.words(param('words'), midOf)}`,
    memoryOf(row) {
      const [appName, userId, id] = [row['appName'], row['userId'], row['memoryId']].map(String) as [
        string,
        string,
        string,
      ] // as many as were given
      return {
        appName,
        ...(userId !== '' && { userId }),
        id,
        ...form.memoryOf(row['payload'], { appName, userId, memoryId: id }),
        ...(typeof row['author'] === 'string' && { author: fromStorableText(row['author']) }),
        timestamp: timeOf(row['timestamp']),
        ...(typeof row['sessionId'] === 'string' && { sessionId: row['sessionId'] }),
        ...(typeof row['eventId'] === 'string' && { eventId: row['eventId'] }),
        createdAt: timeOf(row['createdAt']),
        updatedAt: timeOf(row['updatedAt']),
      }
    },
    lists(writes, scope) {
      const numberOf = wordNumbers(scope, writer)
      return {
        entries: `[${writes.map((write) => entryText(write, scope, this.digestOf(write.entry))).join(',')}]`,
        words: `[${writes
          .filter(({ entry: { words } }) => words.length > 0)
          .map(
            ({ entry: { id, words } }) =>
              `{"id":${JSON.stringify(id)},"words":[${[...new Set(words.map(numberOf))].join(',')}]}`,
          )
          .join(',')}]`,
      }
    },
    digestOf: ({ digest }) => keyedDigest(digest, writer),
    numbersOf(words, appName, userIds) {
      const numbers = form.searchKeys.flatMap((key) =>
        userIds.flatMap((userId) => words.map(wordNumbers({ appName, userId }, key))),
      )
      return `[${[...new Set(numbers)].join(',')}]`
    },
  }
}

const ofEntry = (name: string) => sql`entry.${sql.identifier(name)}`

/** By hand, since whole numbers of 64 bits are beyond what JSON.stringify writes. */
const entryTexts =
  (form: StoredForm, embeddings: Embeddings) =>
  ({ entry, createdAt, updatedAt }: MemoryWrite, scope: CheckedScope, digest: string): string => {
    const { id, sessionId, eventId, author, timestamp, embedding } = entry
    const texts = {
      memoryId: id,
      ...(sessionId !== null && { sessionId }),
      ...(eventId !== null && { eventId }),
      ...(author !== null && { author: toStorableText(author) }),
      payload: form.memory(entry, scope),
      digest,
      ...(embedding !== null && { embedding: embeddings.text(embedding) }),
    }
    const numbers = `"timestamp":${microsText(timestamp)},"createdAt":${createdAt},"updatedAt":${updatedAt}`
    return `${JSON.stringify(texts).slice(0, -1)},${numbers}}`
  }

const microsText = (timestamp: number) => String(toMicros(timestamp))

const timeOf = (value: unknown) => fromMicros(String(value))

export const scopeParams = ({ appName, userId }: CheckedScope): Params => ({ appName, userId })
