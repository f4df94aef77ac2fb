import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/**
 * What ADK's users, its Runner and its tools expect of a session service (1, 1.1, 2), what they complained about in those
 * there are (5), and what was measured wrong in ADK 2.0.0 (6). A test names the rows that it proves in brackets.
 */
const rows: Readonly<Record<string, string>> = {
  '§1 extends': 'the base class is extended, and ADK is a peer dependency',
  '§1 createSession': 'a session, with a given id or a new one',
  '§1 getSession': 'a session, or undefined',
  '§1 getOrCreateSession': 'get, else create: atomic',
  '§1 listSessions': 'sessions, page, limit, totalItems, totalPages',
  '§1 deleteSession': 'answers nothing',
  '§1 appendEvent': 'answers the event',
  '§1 key': 'all three parts in every statement; an event id is unique only inside its session',
  '§1 ids': 'verbatim, never trimmed; too long is refused by field and limit',
  '§1 create without id': 'or with an empty one: a new id',
  '§1 create state': 'split by prefix, temp: dropped',
  '§1 create result': 'merged state, lastUpdateTime is the creation time',
  '§1 get missing': 'undefined; all parts of the key must match',
  '§1 get events': 'newest n, oldest first, in append order; filters change neither state nor lastUpdateTime',
  '§1 list': 'no events; an empty user id is not an omitted one',
  '§1 list pages': 'as ADK counts them',
  '§1 list order': 'by lastUpdateTime, ties by id ascending in both directions',
  '§1 delete': 'missing is quiet; events go, shared state stays',
  '§1 append partial': 'untouched; nothing stored, nothing moved',
  '§1 append same event id': 'replaced in place; the same payload changes nothing',
  '§1 append empty event id': 'gets a fresh one',
  '§1 append result': 'the same object; the delta becomes a null-prototype copy without temp: keys',
  '§1 append live object': 'moved in place',
  '§1 delta': 'whole values; null is stored, undefined disappears',
  '§1 temp:': 'never stored, kept on the live state',
  '§1 event body': 'verbatim, free-form keys included',
  '§1 brand': 'is not stored',
  '§1 compaction': 'a CompactedEvent survives',
  '§1 rewind': 'is not in 2.0.0',
  '§1 lastUpdateTime': 'the timestamp of the last event, also where it runs backwards',
  '§1.1 partial': 'is answered first',
  '§1.1 check first': 'bad values are refused by path before anything moved',
  '§1.1 commit first': 'a failed append leaves object and event untouched',
  '§1.1 stale copy': 'is brought up to date with what is new',
  '§1.1 stamps': 'what others changed does not undo a value that is not appended yet',
  '§1.1 call order': 'appends of one object overtake each other neither in the store nor in the object',
  '§1.1 answer': 'is the event',
  '§2 runAsync': 'the whole history, state and metadata of a call, plugins that change events',
  '§2 runEphemeral': 'creates, runs, deletes',
  '§2 runLive and A2A': 'get or create, then get',
  '§2 state in place': 'is mutated, never replaced',
  '§2 write-order stamps': 'are respected',
  '§2 temp: outlives appends': 'of the invocation',
  '§2 concurrent appendEvent': 'on one session object',
  '§2 events array': 'belongs to the caller',
  '§2 order of events': 'is the order of appends',
  '§2 complete events': 'after a reload',
  '§2 resumption': 'in another process',
  '§2 getOrCreateSession at once': 'by several callers',
  '§5 stale errors': 'in ordinary use',
  '§5 reload mixes two runs': 'unless strictness is asked for',
  '§5 equal times': 'lost sub-seconds, shuffled history',
  '§5 app or user state lost': 'between sessions or writers',
  '§5 app_states locked': 'by every append',
  '§5 whole history re-read': 'under the row lock',
  '§5 first use': 'of an app or user violates a unique key',
  '§5 duplicate create': 'is a raw SQL error',
  '§5 user-state row': 'is missing beside its session',
  '§5 replicas race': 'to create tables',
  '§5 init once': 'per process',
  '§5 dropped our tables': 'touch own ones only',
  '§5 manual ALTER': 'at every upgrade',
  '§5 pickled actions': 'JSON only',
  '§5 column too short': 'for a message, an invocation id, a blob',
  '§5 key too long': 'a key budget',
  '§5 time zones': 'UTC numbers',
  '§5 U+0000': 'and lone surrogates round-trip',
  '§5 values not serialisable': 'are refused before writing',
  '§5 json_patch': 'replace by key; null is a value',
  '§5 live object moved': 'before the store agreed',
  '§5 temp: not visible': 'within the invocation',
  '§5 late commit': 'rolls state back in workflows',
  '§5 events of another user': 'with the same session id',
  '§5 delete': 'leaves events, or fails',
  '§5 event ids clash': 'or are empty',
  '§5 list': 'no order, no limit, no state',
  '§5 get slow': 'with many events',
  '§5 0 recent events': 'returns all',
  '§5 reads take write transactions': 'read-only, one snapshot',
  '§5 idle connections': 'closed, and pool options out of reach: your own Drizzle handle',
  '§5 database is locked': 'on SQLite',
  '§5 table names clash': 'prefix',
  '§5 missing invocationId': 'is allowed',
  '§5 ids trimmed': 'on write, not on read',
  '§5 __proto__ keys': 'own keys only',
  '§5 initial state is not an event': 'the creation state is kept',
  '§5 extra packages': 'for everyone: drivers are optional',
  '§5 unbounded growth': 'prune',
  '§6.1': 'order by timestamp alone',
  '§6.2': 'seconds, local zones, 256 KB and 100 levels on MySQL',
  '§6.3': 'shared state written whole without a lock',
  '§6.4': 'torn reads',
  '§6.5': 'first-use races',
  '§6.6': 'U+0000 and long invocation ids',
  '§6.7': 'the live state is replaced',
  '§6.8': '__proto__ re-parents the state, or is dropped',
  '§6.9': 'an empty user id lists everybody; free-form keys change case',
  '§6.10': 'no close; a second process on SQLite is refused',
  '§6.11': 'a partial event moves what it should not',
}

const sources = readdirSync(import.meta.dirname)
  .filter((file) => file.endsWith('.test.ts') && file !== 'rows.test.ts')
  .map((file) => readFileSync(join(import.meta.dirname, file), 'utf8'))
const named = new Set(
  sources.flatMap((source) => [...source.matchAll(/\[(§[^\]]+)\]/g)].flatMap(([, list = '']) => list.split('; '))),
)

test('every row of ADK’s contract has a test whose name names it', () => {
  expect(Object.keys(rows).filter((row) => !named.has(row))).toEqual([])
})

test('what a test names is a row', () => {
  expect([...named].filter((row) => !Object.hasOwn(rows, row))).toEqual([])
})
