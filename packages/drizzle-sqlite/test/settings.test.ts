import { openSqliteStore, type OpenSqliteOptions } from '@daybook/drizzle-sqlite'
import { createClient } from '@libsql/client'
import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { pragmaStatements, type Pragmas } from '../src/pragmas.ts'
import { probeOf } from '../src/probe.ts'
import { parseUrl, type SqliteUrl } from '../src/url.ts'
import { key, newPath } from './places.ts'
import { appendInside } from './store-kinds.test-d.ts'

describe('a URL', () => {
  const accepted: Record<string, SqliteUrl> = {
    ':memory:': { kind: 'local', path: ':memory:', isMemory: true },
    'file::memory:': { kind: 'local', path: ':memory:', isMemory: true },
    'file:agent.db': { kind: 'local', path: 'agent.db', isMemory: false },
    'file:./data/agent.db': { kind: 'local', path: './data/agent.db', isMemory: false },
    'file:/var/agent.db': { kind: 'local', path: '/var/agent.db', isMemory: false },
    'file:///var/agent.db': { kind: 'local', path: '/var/agent.db', isMemory: false },
    'file://localhost/var/agent.db': { kind: 'local', path: '/var/agent.db', isMemory: false },
    'FILE:/var/my%20agent%3F.db': { kind: 'local', path: '/var/my agent?.db', isMemory: false },
    'libsql://db.example.com': { kind: 'remote', url: 'libsql://db.example.com' },
    'http://127.0.0.1:8080': { kind: 'remote', url: 'http://127.0.0.1:8080' },
    'wss://db.example.com': { kind: 'remote', url: 'wss://db.example.com' },
  }
  test.for(Object.entries(accepted))('%s', ([url, expected]) => {
    expect(parseUrl(url)).toEqual(expected)
  })

  const refused = [
    '',
    undefined,
    7,
    'agent.db',
    '/var/agent.db',
    'postgres://localhost/db',
    'file:',
    'file://',
    'file://other.host/a.db',
    'file:a.db?mode=ro',
    'file:a.db#x',
    'file:%zz.db',
  ]
  test.for(refused)('%s is refused by name', (url) => {
    expect(() => parseUrl(url)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', facts: expect.objectContaining({ field: 'url' }) }),
    )
  })
})

describe('pragmas', () => {
  test('a file gets WAL and FULL, memory no WAL', () => {
    expect(pragmaStatements({}, false)).toEqual([
      'PRAGMA journal_mode = WAL',
      'PRAGMA synchronous = full',
      'PRAGMA foreign_keys = ON',
    ])
    expect(pragmaStatements({ synchronous: 'normal', cacheSize: -8_000, mmapSize: 0 }, true)).toEqual([
      'PRAGMA synchronous = normal',
      'PRAGMA foreign_keys = ON',
      'PRAGMA cache_size = -8000',
      'PRAGMA mmap_size = 0',
    ])
  })

  const refused: readonly (readonly [field: string, pragmas: object])[] = [
    ['pragmas.synchronous', { synchronous: 'full; drop table notes' }],
    ['pragmas.cacheSize', { cacheSize: 1.5 }],
    ['pragmas.cacheSize', { cacheSize: '1; drop table notes' }],
    ['pragmas.mmapSize', { mmapSize: -1 }],
    ['pragmas.journalMode', { journalMode: 'delete' }],
  ]
  test.for(refused)('%s is refused in %o', ([field, pragmas]) => {
    expect(() => pragmaStatements(pragmas as Pragmas, false)).toThrow(
      expect.objectContaining({ code: 'invalid_argument', facts: { field } }),
    ) // the types refuse it already
  })
})

describe('opening', () => {
  const refused: readonly (readonly [field: string, options: object])[] = [
    ['prefix', { prefix: 'a b' }],
    ['tables.sessions', { tables: { sessions: 'a-b' } }],
    ['tables.none', { tables: { none: 'x' } }],
    ['busyTimeout', { busyTimeout: -1 }],
    ['pragmas', { pragmas: null }],
    ['pragmas.synchronous', { pragmas: { synchronous: 'loud' } }],
    ['limits.pageMax', { limits: { pageMax: 0 } }],
    ['timeout', { timeout: -1 }],
    ['now', { now: 5 }],
    ['logger', { logger: 'console' }],
    ['options.signal', { signal: new AbortController().signal }],
    ['stray', { stray: true }],
    ['authToken', { authToken: 'secret' }],
  ]
  test.for(refused)('a file with a refused option is not made: %s', async ([field, options]) => {
    const path = newPath()
    await expect(openSqliteStore({ url: `file:${path}`, ...options })).rejects.toMatchObject({
      code: 'invalid_argument',
      facts: { field },
    })
    expect(existsSync(path)).toBe(false)
  })

  const refusedByServer: readonly (readonly [field: string, options: OpenSqliteOptions])[] = [
    ['pragmas', { url: 'http://127.0.0.1:1', pragmas: {} }],
    ['prefix', { url: 'http://127.0.0.1:1', prefix: 'a b' }],
    ['url', { url: 'http://127.0.0.1:1?tls=perhaps' }],
    ['url', { url: 'libsql://' }],
  ]
  test.for(refusedByServer)('a server is not asked with a refused option: %s of %o', async ([field, options]) => {
    await expect(openSqliteStore(options)).rejects.toMatchObject({ code: 'invalid_argument', facts: { field } })
  })

  test('a URL that is known only at run time opens a store that says its kind', async () => {
    const url: string = ':memory:'
    await using store = await openSqliteStore({ url })
    await store.migrate()
    await store.sessions.create(key)
    expect(store.kind).toBe('sync')
    expect(await appendInside(store)).toBe(2)
  })

  test('what the file says after its pragmas is an error of the contract, too', async () => {
    const path = newPath()
    const client = createClient({ url: `file:${path}` })
    await client.executeMultiple(`create table notes (text text); PRAGMA writable_schema = on;
      update sqlite_master set sql = 'create nothing'; PRAGMA writable_schema = off`)
    client.close()
    await expect(openSqliteStore({ url: `file:${path}` })).rejects.toMatchObject({
      code: 'corrupt',
      facts: { driverCode: 'SQLITE_CORRUPT' },
    })
  })
})

const versioned = (version: string) => () =>
  probeOf([[{ version }], [{ journalMode: 'wal' }]], { isSynchronous: true, isMemory: false })

describe('the version', () => {
  test('below 3.41 is refused, saying which was found and which is needed', () => {
    expect(versioned('3.40.1')).toThrow(
      expect.objectContaining({ code: 'unsupported', message: expect.stringMatching(/3\.40\.1.*3\.41/) }),
    )
    expect(versioned('2.8.17')).toThrow(expect.objectContaining({ code: 'unsupported' }))
  })

  test.for(['3.41.0', '3.45.1', '4.0.0'])('%s is taken', (version) => {
    expect(versioned(version)()).toMatchObject({ version, journalMode: 'wal' })
  })
})
