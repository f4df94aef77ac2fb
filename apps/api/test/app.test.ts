import { createInMemoryStore } from '@daybook/core'
import { Writable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../src/config.ts'
import { openDatabase } from '../src/database.ts'
import { installed } from '../src/installed.ts'
import { createLogger } from '../src/logger.ts'
import { startApp } from './start.ts'

describe('the door', () => {
  test.each([
    [{ host: 'evil.example' }, 403],
    [{ host: 'localhost.evil.example:3000' }, 403],
    [{ host: '127.0.0.1:3000', origin: 'http://evil.example' }, 403],
    [{ host: '127.0.0.1:3000', origin: 'null' }, 403],
    [{ host: '127.0.0.1:3000', origin: 'http://127.0.0.1:3000' }, 200],
    [{ host: 'localhost:3000' }, 200],
    [{ host: '[::1]:3000' }, 200],
  ])('%j → %i', async (headers, status) => {
    const app = await startApp()
    const response = await app.inject({ url: '/apps/shop/state', headers })
    expect(response.statusCode).toBe(status)
    expect(response.headers['content-type']).toMatch(status === 403 ? 'application/problem+json' : 'application/json')
  })

  test('is open where the server listens beyond its machine', async () => {
    const app = await startApp({ isLoopback: false })
    expect((await app.inject({ url: '/apps/shop/state', headers: { host: 'daybook.example' } })).statusCode).toBe(200)
  })
})

describe('every answer', () => {
  test.each(['/', '/health', '/nowhere', '/apps/%ff/state'])(
    'to %s has a request id and is not sniffed',
    async (url) => {
      const app = await startApp()
      const { headers } = await app.inject({ url, headers: { 'x-request-id': 'abc-1' } })
      expect(headers['x-request-id']).toBe('abc-1')
      expect(headers['x-content-type-options']).toBe('nosniff')
    },
  )

  test('has an id of ours when the given one is not fit for a log', async () => {
    const app = await startApp()
    const { headers } = await app.inject({ url: '/health', headers: { 'x-request-id': '{"a":1}' } })
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('the pages', () => {
  test('the chat has no inline script or style, and a policy that allows none', async () => {
    const app = await startApp()
    const { body, headers } = await app.inject('/')
    expect(headers['content-security-policy']).toBe(
      "default-src 'none';script-src 'self';style-src 'self';img-src 'self' data:;connect-src 'self';base-uri 'none';form-action 'none';frame-ancestors 'none'",
    )
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=|https?:/)
    for (const [url, type] of [
      ['/chat.js', 'text/javascript'],
      ['/chat.css', 'text/css'],
    ] as const) {
      const file = await app.inject(url)
      expect(file.headers['content-type']).toMatch(type)
      expect(file.body).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|https?:/)
    }
  })

  test('the documentation knows every route, and loads nothing from elsewhere', async () => {
    const app = await startApp()
    const { paths, components } = (await app.inject('/docs/json')).json()
    const session = '/apps/{appName}/users/{userId}/sessions/{sessionId}'
    expect(Object.keys(paths).toSorted()).toEqual(
      [
        '/apps/{appName}/sessions',
        '/apps/{appName}/state',
        '/apps/{appName}/users/{userId}',
        '/apps/{appName}/users/{userId}/artifacts',
        '/apps/{appName}/users/{userId}/artifacts/{name}',
        '/apps/{appName}/users/{userId}/artifacts/{name}/versions',
        '/apps/{appName}/users/{userId}/memories',
        '/apps/{appName}/users/{userId}/memories/{memoryId}',
        '/apps/{appName}/users/{userId}/sessions',
        '/apps/{appName}/users/{userId}/state',
        session,
        `${session}/artifacts`,
        `${session}/artifacts/{name}`,
        `${session}/artifacts/{name}/versions`,
        `${session}/events`,
        `${session}/events/stream`,
        `${session}/events/{eventId}`,
        `${session}/fork`,
        `${session}/messages`,
        `${session}/state`,
        '/health',
        '/ready',
      ].toSorted(),
    )
    expect(Object.keys(components.schemas)).toContain('Problem')
    expect(paths[`${session}/events`].post.responses).toHaveProperty('4XX')
    const file = paths[`${session}/artifacts/{name}`]
    expect(Object.keys(file.put.requestBody.content)).toEqual(['application/octet-stream'])
    expect(Object.keys(file.get.responses[200].content)).toEqual(['application/octet-stream'])
    const page = await app.inject('/docs/')
    expect(page.body).not.toMatch(/(?:src|href)="https?:/)
    expect(page.headers['content-security-policy']).toMatch("script-src 'self';")
    for (const [, asset = ''] of page.body.matchAll(/(?:src|href)="([^"]+)"/g)) {
      const { pathname } = new URL(asset, 'http://localhost/docs/')
      expect({ pathname, status: (await app.inject(pathname)).statusCode }).toEqual({ pathname, status: 200 })
    }
  })
})

describe('readiness', () => {
  test('is no when the database does not answer, while the process is alive', async () => {
    const store = createInMemoryStore()
    const app = await startApp({ store })
    expect((await app.inject('/ready')).json()).toMatchObject({ ready: true })
    await store.close()
    const response = await app.inject('/ready')
    expect(response.statusCode).toBe(503)
    expect(response.json()).toMatchObject({ ready: false })
    expect((await app.inject('/health')).statusCode).toBe(200)
  })
})

describe('the log', () => {
  test('has requests without query, and no secrets', async () => {
    let log = ''
    const logger = createLogger(
      'debug',
      new Writable({
        write: (chunk, _encoding, done) => {
          log += String(chunk)
          done()
        },
      }),
    )
    const app = await startApp({ logger })
    app.get('/fails', async (request) => {
      request.log.info(
        { req: request, password: 'secret-1', user: { token: 'secret-2' }, headers: request.headers },
        'look',
      )
      throw new Error('broken')
    })
    await app.inject({
      url: '/fails?key=secret-3',
      headers: { authorization: 'Bearer secret-4', cookie: 'id=secret-5', 'x-request-id': 'r-1' },
    })
    expect(log).toContain('"path":"/fails"')
    expect(log).toContain('"reqId":"r-1"')
    expect(log).toContain('broken')
    expect(log).not.toMatch(/secret-\d/)
  })

  test('keeps what a driver says about a statement to itself', async () => {
    let log = ''
    const logger = createLogger(
      'debug',
      new Writable({
        write: (chunk, _encoding, done) => {
          log += String(chunk)
          done()
        },
      }),
    )
    const { StoreError } = await import('@daybook/core')
    const cause = Object.assign(new Error('INSERT … secret-6'), { code: 'SQLITE_FULL', params: ['secret-7'] })
    logger.error({ err: new StoreError('internal', 'the append failed', { cause }) }, 'request failed')
    expect(log).toMatch(/"code":"internal".*SQLITE_FULL/)
    expect(log).not.toMatch(/secret-\d/)
  })
})

describe('the configuration', () => {
  test('has defaults: loopback, SQLite', () => {
    expect(loadConfig({})).toMatchObject({
      HOST: '127.0.0.1',
      PORT: 3000,
      DATABASE_URL: './data/daybook.db',
      LOG_LEVEL: 'info',
    })
  })

  test.each([
    [{ PORT: '70000' }, 'PORT'],
    [{ PORT: '' }, 'PORT'],
    [{ DATABASE_URL: '' }, 'DATABASE_URL'],
    [{ RATE_LIMIT: '0' }, 'RATE_LIMIT'],
    [{ LOG_LEVEL: 'x' }, 'LOG_LEVEL'],
  ])('%j is refused by name', (env, name) => expect(() => loadConfig(env)).toThrow(name))
})

describe('the database', () => {
  test.each(['mongodb://ann:hunter2@host/db', 'oracle://ann:hunter2@host/db', 'constructor://ann:hunter2@host'])(
    '%s is refused without its password',
    async (url) => {
      const refused = openDatabase(url)
      await expect(refused).rejects.toThrow(`DATABASE_URL begins with ${url.split('//')[0]}`)
      await expect(refused).rejects.not.toThrow('hunter2')
    },
  )

  test('of a package that is not there says what to install', async () => {
    const missing = '@daybook/not-there'
    await expect(
      installed('DATABASE_URL is such and such', [missing, 'driver'], () => import(missing)),
    ).rejects.toThrow(
      'DATABASE_URL is such and such, and its packages are not installed. Run: npm install @daybook/not-there driver',
    )
  })
})
