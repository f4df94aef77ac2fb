import { createEvent, createSession, DatabaseSessionService, type Event, type Session } from '@google/adk'
import { LibSqlDriver } from '@mikro-orm/libsql'
import { MySqlDriver } from '@mikro-orm/mysql'
import type { TypeCast } from 'mysql2'
import { randomBytes } from 'node:crypto'

type Orm = { close(force?: boolean): Promise<void> }

/** The columns that hold JSON. MariaDB's are text, which ADK's driver for MySQL does not parse: it fails at the first append. */
const parsesJson: TypeCast = (field, next) =>
  field.name === 'state' || field.name === 'event_data'
    ? (JSON.parse(field.string('utf8') ?? 'null') as unknown)
    : next()

/**
 * ADK's own service over the database of an address. For SQLite it takes the driver on `libsql`: what ADK loads by itself
 * needs `sqlite3`, which has to be compiled; the statements and types that both write come from the same
 * `BaseSqlitePlatform`. For MariaDB it takes the driver of MySQL, with the one thing added that is missing there: the one
 * that ADK loads for `mariadb:` crashes.
 */
export function adkService(url: string, server?: string): { service: DatabaseSessionService; close(): Promise<void> } {
  const service = url.startsWith('sqlite://')
    ? new DatabaseSessionService({ driver: LibSqlDriver, dbName: url.slice('sqlite://'.length) })
    : server === 'mariadb'
      ? new DatabaseSessionService({
          driver: MySqlDriver,
          clientUrl: url.replace(/^mariadb:/, 'mysql:'),
          driverOptions: { connection: { typeCast: parsesJson } },
        })
      : new DatabaseSessionService(url)
  return {
    service,
    close: () => (Reflect.get(service, 'orm') as Orm).close(true), // it has no close of its own
  }
}

/** An event of ADK with what its types do not name. */
export const adkEvent = (event: object): Event => createEvent(event) // it keeps every member

const image = randomBytes(3000).toString('base64')

/** Events of every kind, each a millisecond after the one before. */
function eventsOfEveryKind(start: number): Event[] {
  const hostile = JSON.parse(
    '{"__proto__":{"polluted":true},"constructor":1,"snake_key":{"camelKey":[{"a_b":1}]}}',
  ) as object
  const events: object[] = [
    { author: 'user', invocationId: 'i1', content: { role: 'user', parts: [{ text: 'Grüße 😀 \u2028 \uD7FF מזל' }] } },
    {
      author: 'agent',
      invocationId: 'i1',
      content: {
        role: 'model',
        parts: [{ functionCall: { id: 'c1', name: 'lookUp', args: { snake_arg: 1, camelArg: { deep_key: [] } } } }],
      },
      longRunningToolIds: ['c1'],
      usageMetadata: { promptTokenCount: 7, candidatesTokensDetails: [{ modality: 'TEXT', tokenCount: 3 }] },
    },
    {
      author: 'agent',
      invocationId: 'i1',
      content: {
        role: 'user',
        parts: [{ functionResponse: { id: 'c1', name: 'lookUp', response: { result_list: [{ some_id: 'x' }] } } }],
      },
    },
    { author: 'user', content: { parts: [{ inlineData: { mimeType: 'image/png', data: image } }] } },
    {
      author: 'agent',
      branch: 'root.child',
      actions: {
        stateDelta: { topic: 'delivery', 'user:home_city': 'Oslo', 'app:next_id': 7, 'temp:scratch': 1, n: null },
        artifactDelta: { 'my_file.txt': 2 },
        transferToAgent: 'child',
        escalate: false,
        requestedAuthConfigs: { call_1: { authScheme: { type: 'oauth2' }, raw_key: 1 } },
        requestedToolConfirmations: { call_2: { hint: 'sure?', confirmed: false } },
      },
    },
    { author: 'agent', customMetadata: { snake_key: 1, camelKey: { inner_snake: true, innerCamel: [{ x_y: 1 }] } } },
    {
      author: 'node',
      nodeInfo: { path: 'graph/node_a@1', runId: 'r' },
      output: { raw_value: [1, { k_k: null }] },
      route: ['next_node', 'otherNode'],
      isolationScope: 'scope/a',
      actions: { agentState: { saved_input: { a_b: 1 }, stepCount: 2 } },
    },
    {
      author: 'agent',
      isCompacted: true,
      startTime: start,
      endTime: start + 3,
      compactedContent: { role: 'model', parts: [{ text: 'what was said' }] },
      errorCode: 'MAX_TOKENS',
      errorMessage: 'too long',
      partial: false,
      turnComplete: true,
      interrupted: false,
      groundingMetadata: { webSearchQueries: ['q'], groundingChunks: [{ web: { uri: 'https://x.test', title: 't' } }] },
    },
    {
      author: 'agent',
      actions: { stateDelta: { hostile, big: 'x'.repeat(20_000), topic: 'again' } },
      customMetadata: hostile,
    },
  ]
  return events.map((event, i) => adkEvent({ ...event, id: `e${i}`, timestamp: start + i }))
}

export interface Written {
  readonly appName: string
  readonly userId: string
  readonly sessionId: string
}

/** Several sessions of two apps and two users; the last of each has no events. */
export async function writeSessions(service: DatabaseSessionService, app: string, start: number): Promise<Written[]> {
  const written: Written[] = []
  for (const [n, appName] of [app, `${app}_other`].entries()) {
    for (const userId of ['ann', 'bob with blanks é']) {
      for (const sessionId of ['s1', `s/${n}?x`, 'empty']) {
        const session = await service.createSession({
          appName,
          userId,
          sessionId,
          state: {
            given: { at_creation: n },
            topic: 'first',
            'app:shared': appName,
            'user:size': 39 + n,
            'temp:no': 1,
          },
        })
        const events = sessionId === 'empty' ? [] : eventsOfEveryKind(start + 1000 * n)
        for (const event of events) await service.appendEvent({ session, event })
        written.push({ appName, userId, sessionId })
      }
    }
  }
  return written
}

/** What JSON says of it: ADK's own objects have prototypes and symbols. */
export const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T // the same, without what JSON has no word for

/** Appends without reading the session again each time. */
export const liveSession = (key: Written): Session =>
  createSession({
    id: key.sessionId,
    appName: key.appName,
    userId: key.userId,
    lastUpdateTime: Number.MAX_SAFE_INTEGER,
  })
