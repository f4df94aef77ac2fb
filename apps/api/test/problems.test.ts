import { errorCodes, StoreError, type ErrorCode } from '@daybook/core'
import type { InjectOptions } from 'fastify'
import { connect } from 'node:net'
import { afterAll, describe, expect, test } from 'vitest'
import { listen, startApp } from './start.ts'

const statuses: Record<ErrorCode, number> = {
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  invalid_argument: 400,
  limit_exceeded: 413,
  invalid_cursor: 400,
  unsupported: 501,
  unavailable: 503,
  outcome_unknown: 503,
  timeout: 504,
  busy: 503,
  aborted: 499,
  closed: 503,
  schema_mismatch: 500,
  corrupt: 500,
  internal: 500,
}

const session = '/apps/shop/users/ann/sessions/s1'
const json = { 'content-type': 'application/json' }

const app = await startApp({}, afterAll)
app.get<{ Params: { code: ErrorCode } }>('/fails/:code', async ({ params }) => {
  throw new StoreError(params.code, 'the message', {
    field: 'key.userId',
    revision: 7,
    eventIds: ['e1'],
    cause: new Error('SELECT secret'),
  })
})

describe('an error of the store is a problem', () => {
  test.each(errorCodes)('%s', async (code) => {
    const response = await app.inject(`/fails/${code}`)
    const problem = response.json()
    expect(response.statusCode).toBe(statuses[code])
    expect(response.headers['content-type']).toMatch('application/problem+json')
    expect(problem).toMatchObject({
      type: `urn:daybook:problem:${code}`,
      status: statuses[code],
      code,
      field: 'userId',
      instance: response.headers['x-request-id'],
    })
    expect(problem.detail === 'the message').toBe(statuses[code] < 500)
    expect(response.body).not.toContain('SELECT')
  })

  test('an unknown outcome names the ids to repeat the request with', async () => {
    const response = await app.inject('/fails/outcome_unknown')
    expect(response.json()).toMatchObject({ retryable: true, eventIds: ['e1'] })
    expect(response.headers['retry-after']).toBe('1')
  })
})

test('what nobody expected is 500 and keeps its message to itself', async () => {
  const failing = await startApp()
  failing.get('/fails', async () => {
    throw new Error('password=hunter2')
  })
  const response = await failing.inject('/fails')
  expect(response.statusCode).toBe(500)
  expect(response.json()).toMatchObject({ code: 'internal', title: 'Internal' })
  expect(response.body).not.toContain('hunter2')
})

const tooDeep = `{"events":[{"content":${'['.repeat(200)}${']'.repeat(200)}}]}`

/** What is sent → status, code, field. */
const refused: [string, InjectOptions, number, string, string | undefined][] = [
  ['an unknown route', { url: '/nowhere' }, 404, 'not_found', undefined],
  ['a malformed percent-escape', { url: '/apps/%zz/state' }, 400, 'invalid_argument', 'path'],
  ['bytes that are not UTF-8', { url: '/apps/%ff/state' }, 400, 'invalid_argument', 'path'],
  ['an empty id', { url: '/apps//state' }, 400, 'invalid_argument', 'appName'],
  ['NUL in an id', { url: '/apps/a%00/state' }, 400, 'invalid_argument', 'appName'],
  ['an id that is too long', { url: `/apps/${'a'.repeat(192)}/state` }, 413, 'limit_exceeded', 'appName'],
  ['an id that is far too long', { url: `/apps/${'a'.repeat(9000)}/state` }, 413, 'limit_exceeded', 'appName'],
  ['a limit that is no number', { url: `${session}/events?limit=x` }, 400, 'invalid_argument', 'limit'],
  ['a limit twice', { url: `${session}/events?limit=1&limit=2` }, 400, 'invalid_argument', 'limit'],
  ['an empty limit', { url: `${session}/events?limit=` }, 400, 'invalid_argument', 'limit'],
  ['a negative limit', { url: `${session}/events?limit=-1` }, 400, 'invalid_argument', 'limit'],
  ['half a limit', { url: `${session}/events?limit=1.5` }, 400, 'invalid_argument', 'limit'],
  ['too large a limit', { url: `${session}/events?limit=1001` }, 400, 'invalid_argument', 'limit'],
  [
    'a position beyond numbers',
    { url: `${session}/events?afterSeq=99999999999999999999` },
    400,
    'invalid_argument',
    'afterSeq',
  ],
  ['a point beyond numbers', { url: `${session}/state?atSeq=1e300` }, 400, 'invalid_argument', 'atSeq'],
  [
    'a memory that none can be',
    { method: 'DELETE', url: '/apps/shop/users/ann/memories/%00' },
    400,
    'invalid_argument',
    'memoryId',
  ],
  ['a time beyond 9999', { url: `${session}/events?since=1e300` }, 400, 'invalid_argument', 'since'],
  ['a direction that is none', { url: `${session}/events?direction=up` }, 400, 'invalid_argument', 'direction'],
  ['a parameter that is none', { url: `${session}/events?nope=1` }, 400, 'invalid_argument', 'nope'],
  ['last together with limit', { url: `${session}/events?last=1&limit=1` }, 400, 'invalid_argument', 'last'],
  ['a cursor of nobody', { url: `${session}/events?cursor=abc` }, 400, 'invalid_cursor', undefined],
  ['conditions that are not JSON', { url: '/apps/shop/users/ann/sessions?where=x' }, 400, 'invalid_argument', 'where'],
  ['an order that is none', { url: '/apps/shop/sessions?orderBy=name' }, 400, 'invalid_argument', 'orderBy'],
  [
    'JSON that ends early',
    { method: 'POST', url: `${session}/events`, headers: json, payload: '{"events":' },
    400,
    'invalid_argument',
    'body',
  ],
  ['no body', { method: 'POST', url: `${session}/events` }, 400, 'invalid_argument', 'body'],
  [
    'an empty body',
    { method: 'POST', url: `${session}/events`, headers: json, payload: '' },
    400,
    'invalid_argument',
    'body',
  ],
  ['a body that is a list', { method: 'POST', url: `${session}/events`, payload: [] }, 400, 'invalid_argument', 'body'],
  [
    'another content type',
    { method: 'POST', url: `${session}/events`, headers: { 'content-type': 'text/plain' }, payload: 'x' },
    415,
    'unsupported_media_type',
    'content-type',
  ],
  [
    'too large a body',
    { method: 'POST', url: `${session}/events`, headers: json, payload: `"${'x'.repeat(20_000_000)}"` },
    413,
    'limit_exceeded',
    'body',
  ],
  [
    'no events',
    { method: 'POST', url: `${session}/events`, payload: { events: [] } },
    400,
    'invalid_argument',
    'events',
  ],
  [
    'an event id that is a number',
    { method: 'POST', url: `${session}/events`, payload: { events: [{}, { id: 5 }] } },
    400,
    'invalid_argument',
    'events[1].id',
  ],
  [
    'an author that is null',
    { method: 'POST', url: `${session}/events`, payload: { events: [{ author: null }] } },
    400,
    'invalid_argument',
    'events[0].author',
  ],
  [
    'a delta that is a number',
    { method: 'POST', url: `${session}/events`, payload: { events: [{ actions: { stateDelta: 4 } }] } },
    400,
    'invalid_argument',
    'events[0].actions.stateDelta',
  ],
  [
    'an event that is too deep',
    { method: 'POST', url: `${session}/events`, headers: json, payload: tooDeep },
    413,
    'limit_exceeded',
    undefined,
  ],
  [
    'too many events',
    { method: 'POST', url: `${session}/events`, payload: { events: Array.from({ length: 1001 }, () => ({})) } },
    413,
    'limit_exceeded',
    'events',
  ],
  [
    'a revision as text',
    { method: 'POST', url: `${session}/events`, payload: { events: [{}], expectedRevision: '1' } },
    400,
    'invalid_argument',
    'expectedRevision',
  ],
  [
    'a precondition that is none',
    { method: 'POST', url: `${session}/events`, headers: { 'if-match': 'W/"1"' }, payload: { events: [{}] } },
    400,
    'invalid_argument',
    'If-Match',
  ],
  [
    'a session id that is a number',
    { method: 'POST', url: '/apps/shop/users/ann/sessions', payload: { sessionId: 1 } },
    400,
    'invalid_argument',
    'sessionId',
  ],
  ['state that is a list', { method: 'PUT', url: session, payload: { state: [] } }, 400, 'invalid_argument', 'state'],
  [
    'replace beside set',
    { method: 'PATCH', url: '/apps/shop/state', payload: { set: {}, replace: {} } },
    400,
    'invalid_argument',
    'replace',
  ],
  [
    'a key in set and unset',
    { method: 'PATCH', url: '/apps/shop/state', payload: { set: { a: 1 }, unset: ['a'] } },
    400,
    'invalid_argument',
    'set.a',
  ],
  [
    'a change of nothing known',
    { method: 'PATCH', url: '/apps/shop/state', payload: { sets: {} } },
    400,
    'invalid_argument',
    'sets',
  ],
  [
    'a message without text',
    { method: 'POST', url: `${session}/messages`, payload: {} },
    400,
    'invalid_argument',
    'text',
  ],
  [
    'a message that is null',
    { method: 'POST', url: `${session}/messages`, payload: { text: null } },
    400,
    'invalid_argument',
    'text',
  ],
  [
    'a message to nowhere',
    { method: 'POST', url: `${session}/messages`, payload: { text: 'hi' } },
    404,
    'not_found',
    undefined,
  ],
  [
    'an append to nowhere',
    { method: 'POST', url: `${session}/events`, payload: { events: [{}] } },
    404,
    'not_found',
    undefined,
  ],
  ['a missing session', { url: session }, 404, 'not_found', undefined],
  ['a missing event', { url: `${session}/events/e1` }, 404, 'not_found', undefined],
]

describe('bad input gets a 4xx that names the field', () => {
  test.each(refused)('%s', async (_what, request, status, code, field) => {
    const response = await app.inject(request)
    expect(response.headers['content-type']).toMatch('application/problem+json')
    expect(response.json()).toMatchObject({
      status,
      code,
      retryable: false,
      instance: expect.any(String),
      ...(field !== undefined && { field }),
    })
    expect(response.statusCode).toBe(status)
  })

  test('a value of a path is not taken for a template', async () => {
    const response = await app.inject('/apps/shop/users/ann/sessions/%24%7Bx%7D%25s')
    expect(response.json().detail).toContain('${x}%s')
  })
})

test.each([
  ['GET /apps/a b/state HTTP/1.1\r\nHost: localhost\r\n\r\n', 400],
  [`GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
])('what is not HTTP is a problem, too: %#', async (text, status) => {
  const serving = await startApp()
  const socket = connect(Number(new URL(await listen(serving)).port), '127.0.0.1')
  socket.end(text)
  let answer = ''
  for await (const chunk of socket) answer += String(chunk)
  expect(answer).toMatch(
    new RegExp(`^HTTP/1\\.1 ${status} [^]*application/problem\\+json[^]*"status":${status},"code":"unreadable"`),
  )
})

test('too many requests are 429 with the time to wait, and health is not limited', async () => {
  const limited = await startApp({ rateLimit: 2 })
  for (let i = 0; i < 2; i++) expect((await limited.inject('/apps/shop/state')).statusCode).toBe(200)
  const response = await limited.inject('/apps/shop/state')
  expect(response.json()).toMatchObject({ status: 429, code: 'rate_limited', retryable: true })
  expect(Number(response.headers['retry-after'])).toBeGreaterThan(0)
  expect((await limited.inject('/health')).statusCode).toBe(200)
})
