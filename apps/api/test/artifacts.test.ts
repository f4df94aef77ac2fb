import { createInMemoryStore, StoreError, type ArtifactKey, type LoadArtifactOptions, type Store } from '@daybook/core'
import type { FastifyInstance } from 'fastify'
import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen, startApp, until } from './start.ts'

const user = { appName: 'shop', userId: 'ann' }
const key = { ...user, sessionId: 's1' }
const ofUser = '/apps/shop/users/ann/artifacts'
const ofSession = '/apps/shop/users/ann/sessions/s1/artifacts'

async function started(options: Parameters<typeof startApp>[0] = {}): Promise<FastifyInstance> {
  const app = await startApp(options)
  await app.store.sessions.create(key)
  return app
}

const put = (app: FastifyInstance, url: string, payload: string | Buffer, headers: Record<string, string> = {}) =>
  app.inject({ method: 'PUT', url, payload, headers })
const sha256 = (bytes: string | Buffer) => createHash('sha256').update(bytes).digest('hex')

describe('a file', () => {
  test.each([
    ['of a session', `${ofSession}/tea.txt`, 'tea.txt'],
    ['of a user', `${ofUser}/user:tea.txt`, 'user:tea.txt'],
    ['of a user, by a session', `${ofSession}/user%3Atea.txt`, 'user:tea.txt'],
  ])('%s is saved, downloaded, listed and deleted', async (_case, url, name) => {
    const app = await started()
    const first = await put(app, url, 'green', { 'content-type': 'text/plain' })
    expect(first.statusCode).toBe(201)
    expect(first.json()).toMatchObject({ version: 0, size: 5, sha256: sha256('green'), duplicate: false })
    expect(first.headers.etag).toBe(`"${sha256('green')}"`)
    expect((await put(app, url, 'black', { 'content-type': 'text/x-tea; kind="Earl Grey"' })).json()).toMatchObject({
      version: 1,
    })

    const newest = await app.inject(url)
    expect(newest).toMatchObject({ statusCode: 200, body: 'black' })
    expect(newest.headers).toMatchObject({
      'content-type': 'text/x-tea; kind="Earl Grey"',
      'content-length': '5',
      'content-disposition': 'attachment; filename="tea.txt"',
      'x-content-type-options': 'nosniff',
      etag: `"${sha256('black')}"`,
      'cache-control': 'private, no-cache',
    })
    expect((await app.inject(`${url}?version=0`)).body).toBe('green')
    const collection = url.slice(0, url.lastIndexOf('/'))
    expect((await app.inject(collection)).json()).toMatchObject({
      items: [{ name, version: 1, size: 5, mimeType: 'text/x-tea; kind="Earl Grey"', metadata: {} }],
      nextCursor: null,
    })
    const versions = (await app.inject(`${url}/versions?direction=desc`)).json()
    expect(versions.items.map(({ version }: { version: number }) => version)).toEqual([1, 0])

    expect((await app.inject({ method: 'DELETE', url: `${url}?version=1` })).statusCode).toBe(204)
    expect((await app.inject(url)).body).toBe('green')
    for (let i = 0; i < 2; i++) expect((await app.inject({ method: 'DELETE', url })).statusCode).toBe(204)
    expect((await app.inject(url)).json()).toMatchObject({ status: 404, code: 'not_found' })
    expect((await app.inject(`${url}/versions`)).json()).toEqual({ items: [], nextCursor: null })
  })

  test('is a file of its own session and user', async () => {
    const app = await started()
    await app.store.sessions.create({ ...key, sessionId: 's2' })
    await put(app, `${ofSession}/tea.txt`, 'green')
    await put(app, `${ofUser}/user:plan`, 'sleep')
    const names = async (url: string) =>
      (await app.inject(url)).json().items.map(({ name, sessionId }: Record<string, string>) => [name, sessionId])
    expect(await names(ofSession)).toEqual([
      ['tea.txt', 's1'],
      ['user:plan', undefined],
    ])
    expect(await names(ofSession.replace('s1', 's2'))).toEqual([['user:plan', undefined]])
    expect(await names(ofUser)).toEqual([['user:plan', undefined]])
    expect(await names(ofUser.replace('ann', 'bob'))).toEqual([])
    const page = (await app.inject(`${ofSession}?limit=1`)).json()
    expect(await names(`${ofSession}?limit=1&cursor=${page.nextCursor}`)).toEqual([['user:plan', undefined]])
  })

  test('may be empty, and anything: JSON is not read', async () => {
    const app = await started()
    expect((await app.inject({ method: 'PUT', url: `${ofSession}/nothing` })).json()).toMatchObject({ size: 0 })
    const nothing = await app.inject(`${ofSession}/nothing`)
    expect(nothing.headers).toMatchObject({ 'content-length': '0', 'content-type': 'application/octet-stream' })
    const half = '{"a":'
    await put(app, `${ofSession}/broken`, half, { 'content-type': 'application/json' })
    expect((await app.inject(`${ofSession}/broken`)).body).toBe(half)
  })

  test('of many megabytes goes up and down as a stream', async () => {
    const app = await started()
    const url = `${await listen(app)}${ofSession}/large`
    const piece = Buffer.from('0123456789abcdef'.repeat(65_536))
    async function* pieces() {
      for (let i = 0; i < 24; i++) yield piece
    }
    const whole = Buffer.concat(Array.from({ length: 24 }, () => piece))
    // `fetch` sends an iterable in chunks, without saying how long it is.
    const init = { method: 'PUT', body: pieces(), duplex: 'half' }
    const saved = await fetch(url, init as unknown as RequestInit) // a body that the types of fetch have not got
    expect(await saved.json()).toMatchObject({ size: whole.byteLength, sha256: sha256(whole) })
    const loaded = await fetch(url)
    expect(loaded.headers.get('content-length')).toBe(String(whole.byteLength))
    expect(sha256(Buffer.from(await loaded.arrayBuffer()))).toBe(sha256(whole))
  })

  test('of a missing session is 404, and of a user needs its prefix', async () => {
    const app = await started()
    const other = ofSession.replace('s1', 'none')
    expect((await put(app, `${other}/tea.txt`, 'x')).json()).toMatchObject({ status: 404, code: 'not_found' })
    expect((await app.inject(`${other}/tea.txt`)).json()).toMatchObject({ status: 404, code: 'not_found' })
    expect((await put(app, `${ofUser}/tea.txt`, 'x')).json()).toMatchObject({ status: 400, field: 'sessionId' })
    expect((await app.inject(`${ofSession}/tea.txt?version=x`)).json()).toMatchObject({ status: 400, field: 'version' })
    expect((await put(app, `${ofSession}/${'x'.repeat(192)}`, 'x')).json()).toMatchObject({
      status: 413,
      field: 'name',
    })
  })
})

describe('an upload with a key', () => {
  test('is saved once, and refused with another content', async () => {
    const app = await started()
    const url = `${ofSession}/tea.txt`
    const headers = { 'idempotency-key': 'k1', 'content-type': 'text/plain' }
    expect((await put(app, url, 'green', headers)).json()).toMatchObject({ saveId: 'k1', duplicate: false })
    const again = await put(app, url, 'green', headers)
    expect(again.statusCode).toBe(200)
    expect(again.json()).toMatchObject({ version: 0, saveId: 'k1', duplicate: true })
    for (const [payload, type] of [
      ['black', 'text/plain'],
      ['green', 'text/html'],
    ] as const) {
      const refused = await put(app, url, payload, { ...headers, 'content-type': type })
      expect(refused.json()).toMatchObject({ status: 409, code: 'conflict', field: 'Idempotency-Key' })
    }
    expect((await app.inject(`${url}/versions`)).json().items).toHaveLength(1)
  })
})

describe('an upload that is too long', () => {
  test('is a problem as soon as that shows', async () => {
    const app = await started({ store: createInMemoryStore({ limits: { artifactBytes: 1000 } }) })
    const url = await listen(app)
    for (const size of [1001, 4_000_000]) {
      const refused = await fetch(`${url}${ofSession}/large`, { method: 'PUT', body: Buffer.alloc(size) })
      expect(await refused.json()).toMatchObject({ status: 413, code: 'limit_exceeded', field: 'body', limit: 1000 })
    }
    const exact = await fetch(`${url}${ofSession}/large`, { method: 'PUT', body: Buffer.alloc(1000) })
    expect(exact.status).toBe(201)
  })

  test.each(['s1', 'none'])('leaves its connection to the next request (session %s)', async (sessionId) => {
    const app = await started({ store: createInMemoryStore({ limits: { artifactBytes: 1000 } }) })
    const { port } = new URL(await listen(app))
    const socket = connect(Number(port), '127.0.0.1')
    onTestFinished(() => void socket.destroy())
    let answers = ''
    socket.on('data', (chunk) => (answers += String(chunk)))
    const path = `/apps/shop/users/ann/sessions/${sessionId}/artifacts/large`
    socket.write(`PUT ${path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n${'x'.repeat(500_000)}`)
    await until(() => answers.includes('application/problem+json'), 'the upload was refused')
    socket.write(`${'x'.repeat(500_000)}GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n`)
    await until(() => answers.includes('HTTP/1.1 200'), 'the next request was answered')
    expect(answers.match(/HTTP\/1\.1 \d+/g)).toEqual([`HTTP/1.1 ${sessionId === 's1' ? 413 : 404}`, 'HTTP/1.1 200'])
  })
})

describe('a download', () => {
  test('is 304 where the client has it', async () => {
    const app = await started()
    const url = `${ofSession}/tea.txt`
    await put(app, url, 'green')
    const etag = `"${sha256('green')}"`
    for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
      const response = await app.inject({ url, headers: { 'if-none-match': known } })
      expect(response).toMatchObject({ statusCode: 304, body: '', headers: { etag } })
    }
    expect((await app.inject({ url, headers: { 'if-none-match': '"x"' } })).statusCode).toBe(200)
    await put(app, url, 'black')
    expect((await app.inject({ url, headers: { 'if-none-match': etag } })).body).toBe('black')
    const head = await app.inject({ method: 'HEAD', url })
    expect(head).toMatchObject({ statusCode: 200, body: '', headers: { 'content-length': '5' } })
  })

  test.each([
    ['a "b" 100%.txt', `attachment; filename="a _b_ 100_.txt"; filename*=UTF-8''a%20%22b%22%20100%25.txt`],
    [
      "naïve 😀's (1)*.txt",
      `attachment; filename="na_ve _'s (1)*.txt"; filename*=UTF-8''na%C3%AFve%20%F0%9F%98%80%27s%20%281%29%2A.txt`,
    ],
    ['../../etc/passwd', 'attachment; filename=".._.._etc_passwd"'],
    ['a\r\nset-cookie: b=c', 'attachment; filename="a__set-cookie: b=c"'],
    ['user:', 'attachment; filename=""'],
  ])('is kept under its name: %j', async (name, expected) => {
    const app = await started()
    const url = `${ofSession}/${encodeURIComponent(name)}`
    expect((await put(app, url, 'x')).statusCode).toBe(201)
    const response = await app.inject(url)
    expect(response.headers['content-disposition']).toBe(expected)
    expect(response.headers).not.toHaveProperty('set-cookie')
    expect((await app.inject(ofSession)).json().items[0].name).toBe(name)
  })

  test.each(['text/html', 'image/svg+xml'])('of %s is no page of ours', async (type) => {
    const app = await started()
    await put(app, `${ofSession}/page`, '<script>alert(1)</script>', { 'content-type': type })
    const { headers } = await app.inject(`${ofSession}/page`)
    expect(headers).toMatchObject({ 'content-type': type, 'x-content-type-options': 'nosniff' })
    expect(headers['content-disposition']).toMatch(/^attachment;/)
    expect(headers['content-security-policy']).toMatch("default-src 'none'")
  })

  test.each(['text', 'text/plain\r\nx: y', 'a b/c', 'téxt/plain', 'text/plain;'])(
    'of no type is bytes: %j',
    async (mimeType) => {
      const app = await started()
      await app.store.artifacts.save({ ...key, name: 'x' }, Buffer.from('x'), { mimeType })
      expect((await app.inject(`${ofSession}/x`)).headers['content-type']).toBe('application/octet-stream')
    },
  )

  test('of bytes that are not those that were saved is a problem, or cut', async () => {
    const app = await started({ store: damaged(createInMemoryStore()) })
    await put(app, `${ofSession}/short`, 'x')
    await put(app, `${ofSession}/long`, 'x'.repeat(300_000))
    const problem = await app.inject(`${ofSession}/short`)
    expect(problem.json()).toMatchObject({ status: 500, code: 'corrupt' })
    expect(problem.headers['content-disposition']).toBeUndefined()
    const cut = await fetch(`${await listen(app)}${ofSession}/long`)
    expect(cut.status).toBe(200)
    const bytes = cut.arrayBuffer().then(({ byteLength }) => byteLength)
    await expect(bytes).rejects.toThrow('terminated')
  })
})

/** A store whose streams end with an error, after all that they have. */
function damaged(store: Store): Store {
  const load = async (from: ArtifactKey, options: LoadArtifactOptions & { stream: true }) => {
    const loaded = await store.artifacts.load(from, options)
    return loaded && { ...loaded, stream: broken(loaded.stream) }
  }
  return { ...store, artifacts: { ...store.artifacts, load: load as Store['artifacts']['load'] } } // the app loads streams only
}

async function* broken(stream: AsyncIterable<Uint8Array>) {
  yield* stream
  throw new StoreError('corrupt', 'the bytes are not those that were saved')
}
