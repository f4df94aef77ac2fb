import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isStoreError } from '@daybook/core'
import * as fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { checkedServer, parseServerUrl, serverTls, type ServerOptions, type Tls } from '../src/index.ts'

const schemes = ['db', 'database']
const checked = (options: ServerOptions) => checkedServer(options, schemes, 10)

/** What is refused, in everything of the error that may be shown. */
function refusal(work: () => unknown): { readonly field: unknown; readonly shown: string } {
  try {
    work()
  } catch (error) {
    if (!isStoreError(error) || error.code !== 'invalid_argument') throw error
    return { field: error.facts.field, shown: [error.message, error.stack, JSON.stringify(error)].join('\n') }
  }
  return expect.unreachable('it was taken')
}

describe('a URL', () => {
  test('says host, port, user, password, database and parameters, their escapes undone', () => {
    expect(parseServerUrl('db://ann:s3cret%2F%40%3A@host:77/my%20db?a=1&b=%26', schemes)).toEqual({
      host: 'host',
      port: 77,
      socketPath: undefined,
      user: 'ann',
      password: 's3cret/@:',
      database: 'my db',
      parameters: new Map([
        ['a', '1'],
        ['b', '&'],
      ]),
    })
  })

  test.for([
    ['db://[::1]:77/d', { host: '::1', port: 77 }],
    ['db://[2001:db8::7]/d', { host: '2001:db8::7', port: undefined }],
    ['db://%2Fvar%2Frun%2Fdb/d', { host: undefined, socketPath: '/var/run/db', database: 'd' }],
    ['db:///d', { host: undefined, database: 'd' }],
    ['db://ann:pw@/d', { host: undefined, user: 'ann', password: 'pw', database: 'd' }],
    ['DATABASE://h', { host: 'h', database: undefined, user: undefined, password: undefined }],
  ] as const)('%s', ([url, expected]) => expect(parseServerUrl(url, schemes)).toMatchObject(expected))

  test.for([
    undefined,
    null,
    5,
    '',
    'host',
    'db:ann:s3cret@h',
    'other://ann:s3cret@h/d',
    'db://ann:s3cret@h:notaport/d',
    'db://ann:s3cret@h1:1,h2:2/d',
    'db://ann:%ZZs3cret@h/d',
    'db://ann:s3cret@h/d/e',
    'db://ann:s3cret#x@h/d',
    'db://ann@h/d?a=%ZZs3cret',
    new URL('db://ann:s3cret@h/d'),
  ])('%o is refused without being shown', (url) => {
    const { field, shown } = refusal(() => parseServerUrl(url, schemes))
    expect(field).toBe('url')
    expect(shown).not.toContain('s3cret')
  })

  test('whatever is percent-encoded comes back', () => {
    const text = fc.string({ minLength: 1, unit: 'grapheme' })
    const name = text.filter((one) => !/^\.\.?$/.test(one)) // steps of a path, in any URL
    fc.assert(
      fc.property(text, text, name, (user, password, database) => {
        const url = `db://${[user, password].map(encodeURIComponent).join(':')}@h/${encodeURIComponent(database)}`
        expect(parseServerUrl(url, schemes)).toMatchObject({ user, password, database })
      }),
    )
  })
})

describe('options of a server', () => {
  test('have defaults, and fill in what the URL leaves out', async () => {
    const server = checked({ url: 'db://ann@h', password: async () => 'token', database: 'd' })
    expect(server).toMatchObject({
      host: 'h',
      user: 'ann',
      database: 'd',
      warm: 0,
      idleTimeout: 30_000,
      maxAge: 3_600_000,
      connectTimeout: 10_000,
      acquireTimeout: undefined,
      keepAlive: 60_000,
      applicationName: 'daybook',
    })
    expect(await server.password?.()).toBe('token')
    expect(checked({ url: 'db://h', socketPath: '/run/db' })).toMatchObject({ host: undefined, socketPath: '/run/db' })
  })

  test.for([
    ['warm', 11],
    ['warm', -1],
    ['port', 0],
    ['port', 65_536],
    ['idleTimeout', 1.5],
    ['maxAge', '1h'],
    ['connectTimeout', 0],
    ['acquireTimeout', 0],
    ['keepAlive', -1],
    ['statementTimeout', 2 ** 31],
    ['lockTimeout', Number.NaN],
    ['user', ''],
    ['host', 'a\0b'],
    ['password', 5],
    ['applicationName', 5],
  ] as const)('%s %o is refused', ([name, value]) => {
    expect(refusal(() => checked({ url: 'db://h/d', [name]: value })).field).toBe(name)
  })

  test('two places are one too many', () => {
    expect(refusal(() => checked({ host: 'h', socketPath: '/run/db' })).field).toBe('socketPath')
  })
})

describe('tls', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----\n'

  test('verifies as soon as it is on, unless it is told not to', async () => {
    expect(await serverTls({})).toBe(false)
    expect(await serverTls({}, true)).toEqual({ rejectUnauthorized: true })
    expect(await serverTls({ tls: false }, true)).toBe(false)
    expect(await serverTls({ tls: {} })).toEqual({ rejectUnauthorized: true })
    expect(await serverTls({ tls: { rejectUnauthorized: false, servername: 'db' } })).toEqual({
      rejectUnauthorized: false,
      servername: 'db',
    })
  })

  test('takes PEM text, a Buffer, or the path of a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'daybook-tls-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const path = join(folder, 'ca.pem')
    await writeFile(path, pem)
    expect(await serverTls({ tls: { ca: path, cert: pem, key: Buffer.from(pem), passphrase: 'p' } })).toEqual({
      rejectUnauthorized: true,
      ca: Buffer.from(pem),
      cert: pem,
      key: Buffer.from(pem),
      passphrase: 'p',
    })
  })

  test.for([
    [{ ca: '/no/such/s3cret.pem' }, 'tls.ca'],
    [{ ca: '' }, 'tls.ca'],
    [{ key: 5, cert: pem }, 'tls.key'],
    [{ key: pem }, 'tls'],
    [{ cert: pem }, 'tls'],
    [{ rejectUnauthorized: 'no' }, 'tls.rejectUnauthorized'],
    [{ passphrase: 5 }, 'tls.passphrase'],
    ['require', 'tls'],
  ] as const)('%o is refused', async ([tls, field]) => {
    const error: unknown = await serverTls({ tls: tls as Tls }).catch((reason: unknown) => reason) // what JavaScript may hand over
    expect(error).toMatchObject({ code: 'invalid_argument', facts: { field } })
    expect(isStoreError(error) && error.message).not.toContain('s3cret')
  })

  test('a member that does not exist is refused', async () => {
    await expect(serverTls({ tls: { rejectUnauthorised: false } as Tls })).rejects.toMatchObject({
      facts: { field: 'rejectUnauthorised' },
    }) // misspelt
  })
})
