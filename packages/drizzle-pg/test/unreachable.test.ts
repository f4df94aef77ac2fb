import { createServer, type Server, type Socket } from 'node:net'
import { isStoreError } from '@daybook/core'
import { drizzle as drizzleNode } from 'drizzle-orm/node-postgres'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createPgStore, openPgStore, type OpenPgOptions } from '../src/index.ts'
import { nodePool } from './places.ts'
import { needsServer, urlWith } from './server.ts'

const password = 's3cret p/w:@'
const withPassword = (rest: string) => `postgres://agent:${encodeURIComponent(password)}@${rest}`

/** Everything that may be shown or logged of an error; its cause may not. */
function shown(error: unknown): string {
  if (!isStoreError(error)) throw new TypeError('no StoreError', { cause: error })
  return [error.message, error.stack, JSON.stringify(error), JSON.stringify(error.facts), String(error)].join('\n')
}

async function failureToOpen(options: OpenPgOptions) {
  const error: unknown = await openPgStore(options).then(
    () => expect.unreachable('it opened'),
    (reason: unknown) => reason,
  )
  for (const part of [password, encodeURIComponent(password), 's3cret']) expect(shown(error)).not.toContain(part)
  return error
}

/** A server that is not PostgreSQL. */
async function listening(onSocket: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    onSocket(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new TypeError('it does not listen')
  return `127.0.0.1:${address.port}`
}

describe('a URL that is none of ours is refused before anything is sent, and not repeated', () => {
  const urls = [
    '',
    'mysql://agent:s3cret@h/d',
    'agent:s3cret@h',
    'file:s3cret',
    'postgres:s3cret',
    `postgres://agent:%ZZs3cret@127.0.0.1:1/d`,
    5,
    undefined,
    null,
    new URL(withPassword('h/d')),
  ]
  test.for(urls)('%o', async (url) => {
    const error = await failureToOpen({ url: url as string }) // what JavaScript may hand over
    expect(error).toMatchObject({ code: 'invalid_argument', facts: { field: 'url' } })
  })

  test('and so is an option that does not exist', async () => {
    expect(await failureToOpen({ url: withPassword('127.0.0.1:1/d'), pool: 5 } as OpenPgOptions)).toMatchObject({
      code: 'invalid_argument',
      message: expect.stringContaining('pool') as string,
    }) // misspelt
    expect(await failureToOpen({ url: withPassword('127.0.0.1:1/d'), max: 0 })).toMatchObject({
      code: 'invalid_argument',
      facts: { field: 'max' },
    })
    expect(await failureToOpen({ url: withPassword('127.0.0.1:1/d'), connectTimeout: -1 })).toMatchObject({
      code: 'invalid_argument',
      facts: { field: 'connectTimeout' },
    })
  })
})

describe('a server that cannot be reached is unavailable within the time given', () => {
  const soon = { timeout: 3000 }

  test('because nobody listens', soon, async () => {
    expect(await failureToOpen({ url: withPassword('127.0.0.1:1/d') })).toMatchObject({
      code: 'unavailable',
      retryable: true,
      facts: { driverCode: 'ECONNREFUSED' },
    })
  })

  test('because it does not answer', soon, async () => {
    const url = withPassword(`${await listening(() => {})}/d`)
    expect(await failureToOpen({ url, connectTimeout: 200 })).toMatchObject({ code: 'unavailable', retryable: true })
    expect(await failureToOpen({ url, timeout: 200 })).toMatchObject({
      code: expect.stringMatching(/timeout|unavailable/) as string,
      retryable: true,
    })
  })

  test('because it hangs up', soon, async () => {
    const url = withPassword(`${await listening((socket) => socket.destroy())}/d`)
    expect(await failureToOpen({ url, connectTimeout: 500, timeout: 1000 })).toMatchObject({
      code: expect.stringMatching(/timeout|unavailable/) as string,
      retryable: true,
    })
  })

  test('also over a pool of node-postgres, which would wait for ever', soon, async () => {
    const [host, port] = (await listening((socket) => setTimeout(() => socket.destroy(), 600))).split(':')
    const db = drizzleNode({
      client: nodePool({ connectionString: undefined, host, port: Number(port), user: 'agent', password }),
    })
    const error: unknown = await createPgStore(db, { timeout: 200 }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'timeout', retryable: true })
    expect(shown(error)).not.toContain(password)
  })
})

describe('a server that lets nobody in', () => {
  beforeEach(needsServer)

  test('says so at once, and to repeat it would not help', async () => {
    const database = Object.assign(new URL(urlWith({})), { pathname: '/daybook_no_such_database' }).href
    expect(await failureToOpen({ url: database })).toMatchObject({
      code: 'unavailable',
      retryable: false,
      facts: { driverCode: '3D000' },
    })
    expect(await failureToOpen({ url: urlWith({ username: 'daybook_no_such_role' }) })).toMatchObject({
      code: 'unavailable',
      retryable: false,
    })
  })
})
