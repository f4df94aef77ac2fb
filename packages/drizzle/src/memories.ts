import {
  entryOfEvent,
  isJsonObject,
  noSession,
  outcomesOf,
  pageOf,
  StoreError,
  toMicros,
  type AddedMemories,
  type AddedMemory,
  type CheckedScope,
  type FoundMemory,
  type Memory,
  type MemoryAddRequest,
  type MemoryDeleteRequest,
  type MemoryDeletionReport,
  type MemoryEntry,
  type MemoryListRequest,
  type MemorySearchRequest,
  type Page,
  type SessionKey,
} from '@daybook/core'
import { sql, type SQL } from 'drizzle-orm'
import type { Params, Row, Tx } from './dialect.ts'
import { noFilter } from './event-rows.ts'
import { createDeleteListed } from './listed-rows.ts'
import { createMemoryLookup } from './memory-lookup.ts'
import { createMemoryRows, scopeParams, type MemoryWrite } from './memory-rows.ts'
import type { Parts } from './operation.ts'
import type { Script } from './script.ts'
import { param, selected, variants } from './statements.ts'

/** Everything about memories, as scripts: inside one transaction, whoever began it. */
export interface MemoryScripts {
  add(tx: Tx, request: MemoryAddRequest, now: bigint): Script<AddedMemories>
  get(tx: Tx, scope: CheckedScope, id: string): Script<Memory | undefined>
  list(tx: Tx, request: MemoryListRequest): Script<Page<Memory>>
  search(tx: Tx, request: MemorySearchRequest): Script<readonly FoundMemory[]>
  /** Deletes up to `chunk` memories, and counts them. */
  deleteChunk(tx: Tx, request: MemoryDeleteRequest): Script<MemoryDeletionReport>
  deleteCount(tx: Tx, request: MemoryDeleteRequest): Script<MemoryDeletionReport>
}

/** Words that go to the database in one statement. */
const statementWords = 20_000
const eventsRead = 200
/** What a number of an embedding takes at most, in the text of any dialect. */
const numberChars = 16

export function createMemoryScripts(parts: Parts): MemoryScripts {
  const { dialect, form, limits, sessionRows, eventRows } = parts
  const { expressions, tables, manyRows } = dialect
  const { memories, memoryWords } = tables
  const rows = createMemoryRows(dialect, form)
  const { isScope, columns } = rows
  const lookup = createMemoryLookup(parts, rows)
  const mid = expressions.wholeText(memories.mid)

  const byId = {
    sql: sql`select ${selected(columns)} from ${memories} where ${isScope} and ${memories.memoryId} = ${param('memoryId')}`,
  }
  const knownColumns = {
    mid,
    memoryId: memories.memoryId,
    digest: memories.digest,
    createdAt: expressions.wholeText(memories.createdAt),
    updatedAt: expressions.wholeText(memories.updatedAt),
  }
  const isGiven = sql`${isScope} and ${memories.memoryId} = one.value`
  const known = {
    sql: sql`${expressions.selectEach(knownColumns, expressions.strings(param('ids')), memories, isGiven)}${expressions.forUpdate}`,
  }
  const insertWords = { sql: rows.insertWords }
  const removeWords = createDeleteListed(dialect, memoryWords, memoryWords.mid)
  const remove = createDeleteListed(dialect, memories, memories.mid)
  const idsOfSession = {
    sql: sql`select ${selected({ mid, memoryId: memories.memoryId })} from ${memories}
      where ${isScope} and ${memories.sessionId} = ${param('sessionId')}${expressions.forUpdate}`,
  }

  /** A variant is the words that apply: `session`, `beyond`, `offset`, and the direction. */
  const page = variants((variant) => {
    const has = (word: string) => variant.split('|').includes(word)
    const isDescending = has('desc')
    const session = has('session') ? sql` and ${memories.sessionId} = ${param('sessionId')}` : sql``
    const tie = sql`(${memories.timestamp} = ${param('time')} and ${memories.memoryId} > ${param('afterId')})`
    // The first condition is what an index can use; the second one settles ties.
    const after = isDescending
      ? sql` and ${memories.timestamp} <= ${param('time')} and (${memories.timestamp} < ${param('time')} or ${tie})`
      : sql` and ${memories.timestamp} >= ${param('time')} and (${memories.timestamp} > ${param('time')} or ${tie})`
    const order = isDescending ? sql`${memories.timestamp} desc` : sql`${memories.timestamp}`
    return {
      sql: sql`select ${selected(columns)} from ${memories} where ${isScope}${session}${has('beyond') ? after : sql``}
        order by ${order}, ${memories.memoryId} limit ${param('limit')}${has('offset') ? sql` offset ${param('offset')}` : sql``}`,
    }
  })

  /** A variant is the names of its conditions. */
  const conditions = {
    userId: memories.userId,
    id: memories.memoryId,
    sessionId: memories.sessionId,
  }
  const named = (variant: string) => {
    const names = variant.split('|')
    const equals = Object.entries(conditions).flatMap(([name, column]) =>
      names.includes(name) ? [sql`${column} = ${param(name)}`] : [],
    )
    const before = names.includes('before') ? [sql`${memories.timestamp} < ${param('before')}`] : []
    return sql`from ${memories} where ${sql.join([sql`${memories.appName} = ${param('appName')}`, ...equals, ...before], sql` and `)}`
  }
  /** In the order of an index that begins with what is named: by age alone a planner walks whatever the app has, whosever it is. */
  const orderOf = (variant: string): SQL => {
    const names = variant.split('|')
    if (names.includes('id') || (names.includes('userId') && names.includes('sessionId'))) return sql``
    return names.includes('userId')
      ? sql` order by ${memories.timestamp} desc, ${memories.memoryId}`
      : sql` order by ${memories.timestamp}, ${memories.mid}`
  }
  const toDelete = variants((variant) => ({
    sql: sql`select ${selected({ mid })} ${named(variant)}${orderOf(variant)} limit ${param('chunk')}${expressions.forUpdate}`,
  }))
  const counted = variants((variant) => ({ sql: sql`select count(*) as "count" ${named(variant)}` }))

  function* removeMids(tx: Tx, mids: readonly string[]): Script<void> {
    if (mids.length === 0) return
    yield* removeWords(tx, mids)
    yield* remove(tx, mids)
  }

  function* knownOf(tx: Tx, scope: CheckedScope, ids: readonly string[]): Script<ReadonlyMap<string, Row>> {
    const found = yield* tx.rows(known, { ...scopeParams(scope), ids: JSON.stringify([...new Set(ids)].toSorted()) })
    return new Map(found.map((row) => [String(row['memoryId']), row]))
  }

  /** Writes what is not known, and answers the ids that somebody else has added meanwhile: of those nothing was written. */
  function* write(tx: Tx, scope: CheckedScope, writes: readonly MemoryWrite[]): Script<ReadonlySet<string>> {
    const lost = new Set<string>()
    for (const some of portions(writes, manyRows.statementBytes)) {
      const list = rows.lists(some, scope)
      const inserted = yield* tx.insertAll(rows.insert, { ...scopeParams(scope), entries: list.entries })
      const isNew = inserted === undefined ? undefined : new Set(inserted)
      const here = isNew === undefined ? some : some.filter(({ entry: { id } }) => isNew.has(id))
      if (here.length < some.length)
        for (const { entry } of some) if (isNew?.has(entry.id) === false) lost.add(entry.id)
      const { words } = here === some ? list : rows.lists(here, scope)
      if (words !== '[]') yield* tx.change(insertWords, { ...scopeParams(scope), words })
    }
    return lost
  }

  function* put(
    tx: Tx,
    scope: CheckedScope,
    entries: readonly MemoryEntry[],
    now: bigint,
  ): Script<readonly AddedMemory[]> {
    if (entries.length === 0) return []
    // In one order, so that two batches of the same ids wait for each other and not in a circle.
    let pending = entries
    const answers = new Map<MemoryEntry, AddedMemory>()
    // What an earlier try has taken away to replace it, where a server then refused the whole insert for another's key.
    const removed = new Map<string, Row>()
    for (let tries = 0; tries < 20; tries++) {
      const there = yield* knownOf(
        tx,
        scope,
        pending.map(({ id }) => id),
      )
      const before = new Map([...removed, ...there])
      const stored = new Map([...before].map(([id, row]) => [id, String(row['digest'])]))
      const keyed = pending.map((entry) => ({ ...entry, digest: rows.digestOf(entry) }))
      const { items, changed } = outcomesOf(keyed, stored)
      const original = new Map(keyed.map((entry, i) => [entry, pending[i]]))
      yield* removeMids(
        tx,
        changed.flatMap(({ id }) => (there.has(id) ? [String(there.get(id)?.['mid'])] : [])),
      )
      for (const { id } of changed) {
        const row = there.get(id)
        if (row !== undefined) removed.set(id, row)
      }
      const writes = changed
        .toSorted((a, b) => (a.id < b.id ? -1 : 1))
        .map((entry): MemoryWrite => {
          const row = before.get(entry.id)
          const [createdAt, updatedAt] = [wholeOf(row?.['createdAt'], now), wholeOf(row?.['updatedAt'], now)]
          return { entry: original.get(entry) ?? entry, createdAt, updatedAt: updatedAt > now ? updatedAt : now }
        })
      const lost = yield* write(tx, scope, writes)
      for (const [i, entry] of pending.entries()) {
        const item = items[i]
        if (item !== undefined && !lost.has(entry.id)) answers.set(entry, item)
      }
      if (lost.size === 0) return entries.flatMap((entry) => answers.get(entry) ?? [])
      pending = pending.filter(({ id }) => lost.has(id))
    }
    throw new StoreError('busy', 'others added the same memories again and again')
  }

  function* addSession(
    tx: Tx,
    session: SessionKey,
    { scope, metadata }: MemoryAddRequest,
    now: bigint,
  ): Script<AddedMemories> {
    // Its lock makes adds of one session take turns, and keeps its events as they are meanwhile.
    const { lastSeq } = (yield* sessionRows.lockIfThere(tx, session)) ?? missing(session)
    const items: AddedMemory[] = []
    for (let done = 0; done < lastSeq;) {
      const events = yield* eventRows.page(tx, session, {
        filter: noFilter,
        direction: 'asc',
        beyondSeq: done,
        limit: eventsRead,
      })
      if (events.length === 0) throw new StoreError('corrupt', `session ${session.sessionId} lacks event ${done + 1}`)
      const entries = events.flatMap(({ event }) =>
        isStored(event) ? (entryOfEvent(event, session.sessionId, metadata, limits) ?? []) : [],
      )
      items.push(...(yield* put(tx, scope, entries, now)))
      done = events.at(-1)?.seq ?? lastSeq
    }
    const kept = new Set(items.map(({ id }) => id))
    const all = yield* tx.rows(idsOfSession, { ...scopeParams(scope), sessionId: session.sessionId })
    const gone = all.filter((row) => !kept.has(String(row['memoryId']))).map((row) => String(row['mid']))
    yield* removeMids(tx, gone)
    return { items, removed: gone.length }
  }

  return {
    *add(tx, request, now) {
      const { scope, entries, session } = request
      if (session !== undefined) return yield* addSession(tx, session, request, now)
      return { items: yield* put(tx, scope, entries, now), removed: 0 }
    },
    *get(tx, scope, id) {
      const [row] = yield* tx.rows(byId, { ...scopeParams(scope), memoryId: id })
      return row === undefined ? undefined : rows.memoryOf(row)
    },
    *list(tx, request) {
      const { scope, sessionId, direction, position, offset, limit } = request
      if (limit === 0) return { items: [], nextCursor: undefined }
      const [time, afterId] = position ?? []
      const words = [
        direction,
        sessionId !== undefined && 'session',
        position !== undefined && 'beyond',
        offset > 0 && 'offset',
      ]
      const found = yield* tx.rows(page(words.filter((word) => word !== false).join('|')), {
        ...scopeParams(scope),
        ...(sessionId !== undefined && { sessionId }),
        ...(position !== undefined && { time: BigInt(time ?? 0), afterId: String(afterId) }),
        ...(offset > 0 && { offset }),
        limit: limit + 1,
      })
      return pageOf(
        found,
        request,
        (row) => [String(row['timestamp']), String(row['memoryId'])],
        (row) => rows.memoryOf(row),
      )
    },
    search: lookup,
    *deleteChunk(tx, request) {
      const found = yield* tx.rows(toDelete(variantOf(request)), { ...namedParams(request), chunk: request.chunk })
      yield* removeMids(
        tx,
        found.map((row) => String(row['mid'])),
      )
      return { memories: found.length, dryRun: false }
    },
    *deleteCount(tx, request) {
      const [row] = yield* tx.rows(counted(variantOf(request)), namedParams(request))
      return { memories: Number(row?.['count']), dryRun: true }
    },
  }
}

const wholeOf = (value: unknown, otherwise: bigint): bigint => (typeof value === 'string' ? BigInt(value) : otherwise)

const isStored = (event: unknown): event is Parameters<typeof entryOfEvent>[0] =>
  isJsonObject(event) && typeof event['id'] === 'string' && typeof event['timestamp'] === 'number'

function missing(session: SessionKey): never {
  throw noSession(session)
}

/** What else an entry takes: its digest, its times, and the names of all. */
const frameChars = 300

/** About what an entry is in a statement. An author may be as long as a short file. */
const charsOf = ({ payload, author, id, sessionId, eventId, embedding }: MemoryEntry): number =>
  [payload, author, id, sessionId, eventId].reduce((sum, text) => sum + (text?.length ?? 0), frameChars) +
  (embedding?.length ?? 0) * numberChars

/** So many entries at once as a statement should carry. */
function* portions(writes: readonly MemoryWrite[], statementBytes: number): Generator<readonly MemoryWrite[]> {
  let portion: MemoryWrite[] = []
  let [bytes, words] = [0, 0]
  for (const write of writes) {
    const { words: own } = write.entry
    const size = charsOf(write.entry)
    if (portion.length > 0 && (bytes + size > statementBytes || words + own.length > statementWords)) {
      yield portion
      portion = []
      bytes = 0
      words = 0
    }
    portion.push(write)
    bytes += size
    words += own.length
  }
  if (portion.length > 0) yield portion
}

const namedOf = ({ userId, id, sessionId, before }: MemoryDeleteRequest): Params => ({
  ...(userId !== undefined && { userId }),
  ...(id !== undefined && { id }),
  ...(sessionId !== undefined && { sessionId }),
  ...(before !== undefined && { before: toMicros(before) }),
})

const variantOf = (request: MemoryDeleteRequest): string => Object.keys(namedOf(request)).join('|')

const namedParams = (request: MemoryDeleteRequest): Params => ({ appName: request.appName, ...namedOf(request) })
