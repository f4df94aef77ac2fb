import { isStoreError } from '@daybook/core'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/mysql2'
import { createConnection, createPool, type RowDataPacket } from 'mysql2/promise'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { startServer } from '../../../tools/servers/throwaway.ts'
import { createMysqlStore, openMysqlStore, type OpenMysqlOptions } from '../src/index.ts'
import { certificatesFor } from '../../../tools/servers/certificates.ts'
import { backend, key, needsServer, newPlace, openedStore } from './places.ts'

const password = 's3cret p/w:@?#%'
const withPassword = (rest: string, scheme = 'mysql') => `${scheme}://agent:${encodeURIComponent(password)}@${rest}`

/** Everything that may be shown or logged of an error; its cause may not. */
function shown(error: unknown): string {
  if (!isStoreError(error)) throw new TypeError('no StoreError', { cause: error })
  return [error.message, error.stack, JSON.stringify(error), JSON.stringify(error.facts), String(error)].join('\n')
}

async function failureToOpen(options: OpenMysqlOptions) {
  const error: unknown = await openMysqlStore(options).then(
    () => expect.unreachable('it opened'),
    (reason: unknown) => reason,
  )
  for (const part of [password, encodeURIComponent(password), 's3cret']) expect(shown(error)).not.toContain(part)
  return error
}

const nested = (levels: number): unknown => Array.from({ length: levels }).reduce((inner) => [inner], 1)

const failing = () => Promise.reject(new RangeError('s3cret'))

async function used(options: OpenMysqlOptions) {
  const store = await openMysqlStore({ connectionLimit: 2, ...options })
  onTestFinished(() => store.close())
  return store
}

async function asked(
  store: Awaited<ReturnType<typeof openMysqlStore>>,
  what: string,
): Promise<Record<string, unknown>> {
  const [[row]] = await store.db.$client.query<RowDataPacket[]>(`select ${what}`)
  return row ?? {}
}

describe('what is none of ours is refused before anything is sent', () => {
  const urls = [
    '',
    'postgres://agent:s3cret@h/d',
    'agent:s3cret@h',
    'mysql:s3cret',
    'mysql://agent:%ZZs3cret@127.0.0.1:1/d',
    5,
    null,
  ]
  const wrong: readonly (readonly [string, object])[] = [
    ['prefix', { prefix: 'a b' }],
    ['limits.pageMax', { limits: { pageMax: 0 } }],
    ['codec', { codec: 7 }],
    ['foreignKeys', { foreignKeys: 'no' }],
    ['now', { now: 5 }],
  ]
  test.for(wrong)('the option %s', async ([field, options]) => {
    const error = await failureToOpen({ url: 'mysql://root@127.0.0.1:1/d', ...options })
    expect(error).toMatchObject({
      code: 'invalid_argument',
      facts: { field: expect.stringContaining(field) as string },
    })
  })

  test.for(urls)('the URL %o', async (url) => {
    const error = await failureToOpen({ url: url as string }) // what JavaScript may hand over
    expect(error).toMatchObject({ code: 'invalid_argument', facts: { field: 'url' } })
  })

  test.for([
    ['url', { url: withPassword('127.0.0.1:1/d?s3cret=1') }],
    ['url', { url: withPassword('127.0.0.1:1/d?ssl-mode=PERHAPS') }],
    ['database', { url: withPassword('127.0.0.1:1/') }],
    ['connectionLimit', { url: withPassword('127.0.0.1:1/d'), connectionLimit: 0 }],
    ['maxIdle', { url: withPassword('127.0.0.1:1/d'), connectionLimit: 2, maxIdle: 3 }],
    ['warm', { url: withPassword('127.0.0.1:1/d'), connectionLimit: 2, warm: 3 }],
    ['connectTimeout', { url: withPassword('127.0.0.1:1/d'), connectTimeout: -1 }],
    ['tls.ca', { url: withPassword('h/d'), tls: { ca: '/no/such/file' } }],
    ['tls.servername', { url: withPassword('127.0.0.1:1/d'), tls: true }],
    ['tls', { socketPath: '/run/s', user: 'agent', password, database: 'd', tls: true }],
    ['max', { url: withPassword('127.0.0.1:1/d'), max: 5 }],
  ] as const)('the option %s', async ([field, options]) => {
    const error = await failureToOpen(options)
    expect(error).toMatchObject({ code: 'invalid_argument' })
    expect(shown(error)).toContain(field)
  })

  test('who refused what is named', async () => {
    expect(await failureToOpen({ url: withPassword('127.0.0.1:1/d', 'mariadb') })).toMatchObject({
      code: 'unavailable',
      retryable: true,
      message: expect.stringContaining('127.0.0.1:1') as string,
      facts: { driverCode: 'ECONNREFUSED' },
    })
    expect(await failureToOpen({ socketPath: '/no/such/socket', database: 'd' })).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('/no/such/socket') as string,
    })
    expect(await failureToOpen({ host: 'no.such.host.invalid', database: 'd', password })).toMatchObject({
      code: 'unavailable',
      retryable: false,
      message: expect.stringContaining('no.such.host.invalid') as string,
    })
  })
})

describe('on a server', () => {
  beforeEach(needsServer)

  test('every connection is in UTC and compares bytes, also those that the application takes', async () => {
    const { url } = await newPlace()
    const store = await openedStore(url, { connectionLimit: 3, warm: 3, lockTimeout: 2_500, statementTimeout: 60_000 })
    const settings = await Promise.all(
      [1, 2, 3].map(async () => {
        const connection = await store.db.$client.getConnection()
        const [[row]] = await connection.query<RowDataPacket[]>(
          `select @@time_zone as zone, @@collation_connection as collation, @@autocommit as auto, @@innodb_lock_wait_timeout as wait,
            ${backend === 'mysql' ? '@@max_execution_time / 1000' : '@@max_statement_time'} as longest, connection_id() as id`,
        )
        return { connection, row }
      }),
    )
    for (const { connection, row } of settings) {
      expect(row).toMatchObject({
        zone: '+00:00',
        collation: backend === 'mysql' ? 'utf8mb4_0900_bin' : 'utf8mb4_nopad_bin',
        auto: 1,
        wait: 3,
      })
      expect(Number(row?.['longest'])).toBe(60)
      connection.release()
    }
    expect(new Set(settings.map(({ row }) => String(row?.['id']))).size).toBe(3)
  })

  test('a password function is asked for each new connection, and its failure is an answer', async () => {
    const { url } = await newPlace()
    const { hostname, port, username, password: right, pathname } = new URL(url)
    const place = { host: hostname, port: Number(port), user: username, database: pathname.slice(1) }
    let times = 0
    const store = await openMysqlStore({
      ...place,
      connectionLimit: 2,
      async password() {
        times++
        return decodeURIComponent(right)
      },
    })
    await store.health()
    expect(times).toBe(1)
    await Promise.all([store.health(), store.health()])
    expect(times).toBeGreaterThanOrEqual(2)
    await store.close()
    expect(await failureToOpen({ ...place, password: failing })).toMatchObject({ code: 'unavailable' })
  })

  test('a connection that is older than maxAge, or idle for too long, is replaced', async () => {
    const { url } = await newPlace()
    const store = await openedStore(url, { connectionLimit: 1, maxAge: 300 })
    const first = await asked(store, 'connection_id() as id')
    expect(await asked(store, 'connection_id() as id')).toEqual(first)
    await new Promise((resolve) => setTimeout(resolve, 350))
    expect(await asked(store, 'connection_id() as id')).not.toEqual(first)

    const { rows } = await newPlace()
    const idle = await openedStore(url, { connectionLimit: 1, idleTimeout: 100 })
    const { id } = await asked(idle, 'connection_id() as id')
    await expect
      .poll(async () => rows(`select id from information_schema.processlist where id = ${Number(id)}`), {
        timeout: 3000,
      })
      .toEqual([])
    expect((await asked(idle, '1 as one'))['one']).toBe(1)
  })

  test('the wait for a connection has a bound, and says what it waited for', async () => {
    const { url } = await newPlace()
    const store = await openedStore(url, { connectionLimit: 1, acquireTimeout: 150 })
    await store.migrate()
    await store.transaction(async () => {
      await expect(store.sessions.get(key)).rejects.toMatchObject({
        code: 'timeout',
        retryable: true,
        message: expect.stringMatching(/150 ms.*1 connections/) as string,
      })
    })
    expect((await store.health()).pool).toMatchObject({ size: 1, inUse: 0, waiting: 0 })
  })

  test('a state may be as deep as the server takes it, and a limit beyond that is refused', async () => {
    const stateDepth = { mysql: 100, mariadb: 31 }[backend]
    const { url } = await newPlace()
    expect(await failureToOpen({ url, limits: { stateDepth: stateDepth + 1 } })).toMatchObject({
      code: 'invalid_argument',
      facts: { field: 'limits.stateDepth' },
    })
    const store = await openedStore(url, { limits: { stateDepth, eventDepth: 200 } })
    await store.migrate()
    const deep = nested(stateDepth - 1)
    await store.sessions.create({ ...key, state: { a: deep, 'app:a': deep } })
    await store.events.append(key, { actions: { stateDelta: { b: deep, 'user:a': deep } } })
    const state = { a: deep, b: deep, 'user:a': deep, 'app:a': deep }
    expect((await store.sessions.list({ appName: 'shop', state: true })).items).toMatchObject([{ state }])
    await expect(store.sessions.update(key, { set: { c: [deep] } })).rejects.toMatchObject({
      code: 'limit_exceeded',
      facts: { limit: stateDepth, actual: stateDepth + 1 },
    })
  })

  test('NO_BACKSLASH_ESCAPES of the server is not that of our connections, and nothing can be injected', async () => {
    const { url, pool } = await newPlace()
    const store = await openedStore(url, { connectionLimit: 2 })
    await store.migrate()
    await store.sessions.create(key)
    // A handed-over pool in that mode, by its own hand, is refused.
    const [[before]] = await pool.query<RowDataPacket[]>('select @@sql_mode as mode')
    expect(String(before?.['mode'])).not.toContain('NO_BACKSLASH_ESCAPES')
    expect((await asked(store, '@@sql_mode as mode'))['mode']).not.toContain('NO_BACKSLASH_ESCAPES')
    const hostile = `\\' or 1=1 -- `
    expect(await store.sessions.get({ ...key, userId: hostile })).toBeUndefined()
    expect((await store.sessions.list({ appName: 'shop', userId: hostile })).items).toEqual([])
  })
})

describe('on a server of its own', () => {
  const name = backend === 'mysql' ? 'mysql9.7' : 'mariadb10.11'
  let server: Awaited<ReturnType<typeof startServer>>
  let files: string
  let pem: Awaited<ReturnType<typeof certificatesFor>>

  beforeAll(async () => {
    pem = await certificatesFor('db.example')
    files = await mkdtemp(join(tmpdir(), 'daybook-pem-'))
    await writeFile(join(files, 'ca.pem'), pem.ca)
    server = await startServer(name, {
      tls: pem,
      settings: {
        'sql-mode': 'ANSI,NO_BACKSLASH_ESCAPES',
        'character-set-server': 'latin1',
        'collation-server': 'latin1_swedish_ci',
        'default-time-zone': '-05:00',
        'transaction-isolation': 'SERIALIZABLE',
        'lower-case-table-names': '1',
        autocommit: 'OFF',
        max_allowed_packet: 1_048_576,
        wait_timeout: 2,
        ...(backend === 'mysql' && { sql_require_primary_key: 'ON' }),
        performance_schema: 'ON',
      },
    })
    await onServer('create database agent')
  }, 120_000)
  afterAll(async () => {
    await server?.remove()
    await rm(files, { recursive: true, force: true })
  })

  async function onServer(...statements: string[]): Promise<void> {
    const connection = await createConnection(server.url)
    for (const statement of statements) await connection.query(statement)
    await connection.query('commit')
    await connection.end()
  }
  const address = () => {
    const { port, username, password: right } = new URL(server.url)
    return { host: '127.0.0.1', port: Number(port), user: username, password: right, database: 'agent' }
  }
  test('a pool that is handed over is refused for the mode of the server, which its next connection gets', async () => {
    const pool = createPool(Object.assign(new URL(server.url), { pathname: '/agent' }).href)
    onTestFinished(() => pool.end())
    pool.on('connection', (connection) => void connection.query(`set sql_mode = 'ANSI', autocommit = 1`))
    await expect(createMysqlStore(drizzle({ client: pool }))).rejects.toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('NO_BACKSLASH_ESCAPES') as string,
      facts: { capability: 'sql_mode' },
    })
  })

  test('with settings that are legal and hostile, the whole of a session goes its way', async () => {
    const store = await used({ ...address(), prefix: 'Agent_' })
    await store.migrate()
    expect((await store.migrate()).applied).toEqual([])
    const session = await store.sessions.create({ ...key, state: { '"quoted"': `it's \\ "q"`, emoji: '😀' } })
    await Promise.all(
      Array.from({ length: 8 }, (_, i) =>
        store.events.append(session, {
          id: `e${i}`,
          author: `\\' or 1=1 -- `,
          actions: { stateDelta: { [`k${i}`]: '\\"😀' } },
        }),
      ),
    )
    const loaded = await store.sessions.get(session, { events: 'all' })
    expect(loaded?.events.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(loaded?.state).toMatchObject({ '"quoted"': `it's \\ "q"`, emoji: '😀', k3: '\\"😀' })
    expect(store.limits.eventBytes).toBeLessThan(524_288)
    const largest = { id: 'large', content: 'x'.repeat(store.limits.eventBytes - 200) }
    expect((await store.events.append(session, largest)).events[0]?.seq).toBe(9)
    await expect(store.events.append(session, { content: 'x'.repeat(store.limits.eventBytes) })).rejects.toMatchObject({
      code: 'limit_exceeded',
    })
    await new Promise((resolve) => setTimeout(resolve, 2500)) // the server has closed what was idle
    expect((await store.events.list(session)).items).toHaveLength(9)
    expect((await store.events.append(session, { id: 'later' })).events[0]?.seq).toBe(10)
  })

  test('a batch of small entries takes as many statements as the largest packet wants', async () => {
    const store = await used({ ...address(), prefix: 'Batch_' })
    await store.migrate()
    const quotes = '"'.repeat(2040)
    const rows = Array.from({ length: 300 }, (_, i) => ({
      appName: 'shop',
      traceId: 't1',
      spanId: `p${i}`,
      operationName: 'answer',
      operationType: 'chat' as const,
      customAttributes: { quotes },
    }))
    expect(await store.metrics.record(rows)).toMatchObject({ stored: 300 })
    expect(await store.metrics.record(rows, { onDuplicate: 'replace' })).toMatchObject({ replaced: 300 })
    const entries = Array.from({ length: 300 }, (_, i) => ({ id: `m${i}`, content: { parts: [{ text: quotes }] } }))
    expect((await store.memories.add({ appName: 'shop', userId: 'ann' }, entries)).items).toHaveLength(300)
    const signed = entries.slice(0, 20).map((entry) => ({ ...entry, id: `by-${entry.id}`, author: 'a'.repeat(60_000) }))
    expect((await store.memories.add({ appName: 'shop', userId: 'ann' }, signed)).items).toHaveLength(20)
  })

  test('a server that takes no packet of a megabyte is refused by name', async () => {
    await onServer('set global max_allowed_packet = 524288')
    onTestFinished(() => onServer('set global max_allowed_packet = 1048576'))
    expect(await failureToOpen(address())).toMatchObject({
      code: 'unsupported',
      facts: { capability: 'max_allowed_packet' },
    })
  })

  test('TLS verifies the certificate and the name in it, by file or by text', async () => {
    const ca = join(files, 'ca.pem')
    for (const tls of [
      { ca, servername: 'db.example' },
      { ca: pem.ca, servername: 'db.example' },
      { rejectUnauthorized: false },
    ]) {
      const store = await used({ ...address(), tls })
      const [[row]] = await store.db.$client.query<RowDataPacket[]>(`show session status like 'Ssl_cipher'`)
      expect(String(row?.['Value'])).not.toBe('')
    }
    for (const tls of [{ ca, servername: 'other.example' }, { servername: 'db.example' }]) {
      expect(await failureToOpen({ ...address(), tls })).toMatchObject({ code: 'unavailable', retryable: false })
    }
    expect(await failureToOpen({ ...address(), host: 'localhost', tls: { ca } })).toMatchObject({ code: 'unavailable' })
  })

  const methods: Readonly<Record<typeof backend, readonly string[]>> = {
    mysql: ['caching_sha2_password'],
    mariadb: ['mysql_native_password'],
  }
  test.for(methods[backend])('a user logs in by %s, with TLS and without it', async (method) => {
    const made = backend === 'mysql' ? `identified with ${method} by` : `identified via ${method} using password(`
    const quoted = password.replaceAll(`'`, `''`)
    await onServer(
      `drop user if exists plain`,
      `create user plain ${made} '${quoted}'${backend === 'mysql' ? '' : ')'}`,
      `grant all on agent.* to plain`,
    )
    const place = { ...address(), user: 'plain', password }
    for (const tls of [false, { ca: pem.ca, servername: 'db.example' }, false] as const) {
      const store = await used({ ...place, tls })
      expect(await asked(store, 'current_user() as who')).toEqual({ who: 'plain@%' })
    }
    expect(await failureToOpen({ ...place, password: 'wrong' })).toMatchObject({
      code: 'unavailable',
      retryable: false,
      message: expect.stringContaining('"plain"') as string,
    })
    await onServer('alter user plain require ssl')
    expect(await failureToOpen(place)).toMatchObject({ code: 'unavailable', retryable: false })
    expect(await asked(await used({ ...place, tls: { ca: pem.ca, servername: 'db.example' } }), '1 as one')).toEqual({
      one: 1,
    })
  })

  test('a way to log in that the driver does not know is refused by its name', async ({ skip }) => {
    if (backend === 'mysql') skip('MySQL has no such way')
    try {
      await onServer(`install soname 'auth_ed25519'`)
    } catch (error) {
      skip(`this MariaDB comes without the plugin (${String((error as { code?: string }).code)})`) // of the driver's errors
    }
    await onServer(`create user modern identified via ed25519 using password('${password.replaceAll(`'`, `''`)}')`)
    expect(await failureToOpen({ ...address(), user: 'modern', password })).toMatchObject({
      code: 'unsupported',
      message: expect.stringContaining('client_ed25519') as string,
    })
  })

  test('a unix socket is an address too, in a URL and by its path', async () => {
    const { user, password: right, database } = address()
    const socketPath = join(server.socketFolder, 'sock')
    expect((await (await used({ socketPath, user, password: right, database })).health()).flavour).toBe(backend)
    const url = `mysql://${user}:${right}@${encodeURIComponent(socketPath)}/${database}`
    expect((await (await used({ url })).health()).flavour).toBe(backend)
  })

  test('a program is shown by its name', async () => {
    const store = await used({ ...address(), applicationName: 'billing' })
    const [found] = await store.db.$client.query<RowDataPacket[]>(
      `select attr_value as name from performance_schema.session_connect_attrs where attr_name = 'program_name' and processlist_id = connection_id()`,
    )
    expect(found).toEqual([{ name: 'billing' }])
  })

  test('a database that dies and comes back is used again', async () => {
    const store = await used({ ...address(), prefix: 'crash_', connectionLimit: 3 })
    await store.migrate()
    await store.sessions.create(key)
    await store.events.append(key, { id: 'before' })
    const busy = Array.from({ length: 6 }, (_, i) =>
      store.events.append(key, { id: `during${i}` }).then(
        () => 'kept',
        (error: unknown) => error,
      ),
    )
    await server.kill()
    const codes = new Set((await Promise.all(busy)).map((one) => (isStoreError(one) ? one.code : one)))
    for (const code of codes) expect(['kept', 'unavailable', 'outcome_unknown']).toContain(code)
    await server.start()
    const again = await Promise.all(Array.from({ length: 6 }, (_, i) => store.events.append(key, { id: `during${i}` })))
    expect(again).toHaveLength(6)
    const { items } = await store.events.list(key)
    expect(items.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7])
    expect(new Set(items.map(({ event }) => event.id)).size).toBe(7)
  }, 60_000)
})
