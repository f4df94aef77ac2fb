import { describe, expect, test } from 'vitest'
import { startApp } from './start.ts'

const sessions = '/apps/shop/users/ann/sessions'
const session = `${sessions}/s1`

describe('sessions', () => {
  test('PUT creates once and answers what is there when repeated', async () => {
    const app = await startApp()
    const first = await app.inject({
      method: 'PUT',
      url: session,
      payload: { state: { topic: 'tea', 'user:size': 39, 'app:open': true } },
    })
    expect(first.statusCode).toBe(201)
    expect(first.json()).toMatchObject({
      sessionId: 's1',
      revision: 1,
      lastSeq: 0,
      state: { topic: 'tea', 'user:size': 39, 'app:open': true },
    })
    const again = await app.inject({ method: 'PUT', url: session, payload: { state: { topic: 'coffee' } } })
    expect(again.statusCode).toBe(200)
    expect(again.json()).toEqual(first.json())
  })

  test('many PUTs at once make one session', async () => {
    const app = await startApp()
    const answers = await Promise.all(Array.from({ length: 10 }, () => app.inject({ method: 'PUT', url: session })))
    expect(answers.filter(({ statusCode }) => statusCode === 201)).toHaveLength(1)
    expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(9)
  })

  test('POST makes an id, or takes one and refuses it the second time', async () => {
    const app = await startApp()
    const made = await app.inject({ method: 'POST', url: sessions })
    expect(made.statusCode).toBe(201)
    expect(made.json().sessionId).toMatch(/^[0-9a-f-]{36}$/)
    expect((await app.inject({ method: 'POST', url: sessions, payload: { sessionId: 's1' } })).statusCode).toBe(201)
    expect((await app.inject({ method: 'POST', url: sessions, payload: { sessionId: 's1' } })).json()).toMatchObject({
      status: 409,
      code: 'already_exists',
    })
  })

  test('GET brings the events that are asked for, and the revision as entity tag', async () => {
    const app = await startApp()
    await app.inject({ method: 'PUT', url: session })
    await app.inject({
      method: 'POST',
      url: `${session}/events`,
      payload: { events: [{ id: 'e1' }, { id: 'e2', author: 'user' }, { id: 'e3' }] },
    })
    const idsOf = async (query: string) =>
      (await app.inject(`${session}${query}`)).json().events.map(({ event }: { event: { id: string } }) => event.id)
    expect(await idsOf('')).toEqual([])
    expect(await idsOf('?events=all')).toEqual(['e1', 'e2', 'e3'])
    expect(await idsOf('?last=2')).toEqual(['e2', 'e3'])
    expect(await idsOf('?last=0')).toEqual([])
    expect(await idsOf('?afterSeq=1&author=user')).toEqual(['e2'])
    expect((await app.inject(session)).headers['etag']).toBe('"2"')
    expect((await app.inject(`${session}?events=all&last=1`)).json()).toMatchObject({ status: 400, field: 'events' })
  })

  test('lists come in pages, of a user or of an app', async () => {
    const app = await startApp()
    for (const url of [session, `${sessions}/s2`, '/apps/shop/users/bob/sessions/s1'])
      await app.inject({ method: 'PUT', url, payload: { state: { n: 1 } } })
    const first = (await app.inject(`${sessions}?limit=1&orderBy=createdAt&direction=asc&state=true`)).json()
    expect(first).toMatchObject({ items: [{ sessionId: 's1', state: { n: 1 } }], nextCursor: expect.any(String) })
    const second = (
      await app.inject(`${sessions}?limit=1&orderBy=createdAt&direction=asc&cursor=${first.nextCursor}`)
    ).json()
    expect(second).toMatchObject({ items: [{ sessionId: 's2' }], nextCursor: null })
    expect(second.items[0]).not.toHaveProperty('state')
    expect((await app.inject('/apps/shop/sessions')).json().items).toHaveLength(3)
    expect((await app.inject(`${sessions}?cursor=${first.nextCursor}`)).json()).toMatchObject({
      status: 400,
      code: 'invalid_cursor',
    })
    expect((await app.inject(`${sessions}?limit=0`)).json()).toMatchObject({ items: [] })
  })

  test('fork copies up to an event', async () => {
    const app = await startApp()
    await app.inject({ method: 'PUT', url: session })
    const events = ['a', 'b'].map((topic) => ({ actions: { stateDelta: { topic } } }))
    await app.inject({ method: 'POST', url: `${session}/events`, payload: { events } })
    const forked = await app.inject({
      method: 'POST',
      url: `${session}/fork`,
      payload: { sessionId: 's2', throughSeq: 1 },
    })
    expect(forked.statusCode).toBe(201)
    expect(forked.json()).toMatchObject({ sessionId: 's2', lastSeq: 1, state: { topic: 'a' } })
  })

  test('DELETE may be repeated, and erasing a user says what went', async () => {
    const app = await startApp()
    await app.inject({ method: 'PUT', url: session, payload: { state: { 'user:size': 39 } } })
    await app.inject({ method: 'PUT', url: `${sessions}/s2` })
    await app.inject({ method: 'POST', url: `${sessions}/s2/events`, payload: { events: [{}, {}] } })
    for (let i = 0; i < 2; i++) expect((await app.inject({ method: 'DELETE', url: session })).statusCode).toBe(204)
    const erase = async () => (await app.inject({ method: 'DELETE', url: '/apps/shop/users/ann' })).json()
    expect(await erase()).toEqual({ sessions: 1, events: 2, userStates: 1, memories: 0, artifacts: 0, metrics: 0 })
    expect(await erase()).toEqual({ sessions: 0, events: 0, userStates: 0, memories: 0, artifacts: 0, metrics: 0 })
  })
})

describe('events', () => {
  const events = `${session}/events`

  test('are appended with their changes of state, and once when the request is repeated', async () => {
    const app = await startApp()
    await app.inject({ method: 'PUT', url: session })
    const payload = {
      state: true,
      events: [
        {
          id: 'e1',
          author: 'user',
          custom: { deep: [null] },
          actions: { stateDelta: { topic: 'tea', 'user:size': 39, 'temp:x': 1 } },
        },
      ],
    }
    const first = await app.inject({ method: 'POST', url: events, payload })
    expect(first.statusCode).toBe(201)
    expect(first.json()).toEqual({
      events: [{ id: 'e1', seq: 1, duplicate: false }],
      revision: 2,
      state: { topic: 'tea', 'user:size': 39 },
    })
    const again = await app.inject({ method: 'POST', url: events, payload })
    expect(again.statusCode).toBe(200)
    expect(again.json()).toMatchObject({ events: [{ id: 'e1', seq: 1, duplicate: true }], revision: 2 })
    expect((await app.inject(`${events}/e1`)).json().event).toMatchObject({
      custom: { deep: [null] },
      actions: { stateDelta: { topic: 'tea' } },
    })
    expect(
      (await app.inject({ method: 'POST', url: events, payload: { events: [{ id: 'e1', author: 'agent' }] } })).json(),
    ).toMatchObject({ status: 409, code: 'conflict' })
    const replaced = await app.inject({
      method: 'POST',
      url: events,
      payload: { onDuplicate: 'replace', events: [{ id: 'e1', author: 'agent' }] },
    })
    expect(replaced.json().events).toMatchObject([{ seq: 1 }])
  })

  test('are kept as they are: __proto__ and constructor are keys, strings survive', async () => {
    const app = await startApp()
    await app.inject({ method: 'PUT', url: session })
    const payload =
      '{"events":[{"id":"e1","__proto__":{"x":1},"constructor":{"prototype":{"y":2}},"content":"\\u0000\\ud800 😀"}]}'
    expect(
      (await app.inject({ method: 'POST', url: events, headers: { 'content-type': 'application/json' }, payload }))
        .statusCode,
    ).toBe(201)
    const { body } = await app.inject(`${events}/e1`)
    expect(body).toContain('"__proto__":{"x":1}')
    expect(body).toContain('"constructor":{"prototype":{"y":2}}')
    expect(body).toContain('"content":"\\u0000\\ud800 😀"')
    expect(({} as { x?: number }).x).toBeUndefined()
  })

  test('may expect a revision: 409 in the body, 412 as If-Match', async () => {
    const app = await startApp()
    await app.inject({ method: 'PUT', url: session })
    const append = (headers: Record<string, string>, extra: object = {}) =>
      app.inject({ method: 'POST', url: events, headers, payload: { events: [{}], ...extra } })
    expect((await append({}, { expectedRevision: 7 })).json()).toMatchObject({ status: 409, revision: 1 })
    expect((await append({ 'if-match': '"7"' })).json()).toMatchObject({ status: 412, code: 'conflict', revision: 1 })
    expect((await append({ 'if-match': '"1"' })).statusCode).toBe(201)
    expect((await append({}, { expectedRevision: 2 })).statusCode).toBe(201)
    expect((await append({ 'if-match': '*' })).statusCode).toBe(201)
    expect((await append({ 'if-match': '"4"' }, { expectedRevision: 4 })).json()).toMatchObject({
      status: 400,
      field: 'If-Match',
    })
    await append({}, { events: [{ id: 'e1' }] })
    expect((await append({ 'if-match': '"5"' }, { events: [{ id: 'e1', author: 'x' }] })).statusCode).toBe(409)
  })

  test('come in pages and by filter', async () => {
    const app = await startApp()
    await app.inject({ method: 'PUT', url: session })
    const batch = Array.from({ length: 5 }, (_, i) => ({
      id: `e${i + 1}`,
      timestamp: 1000 + i,
      author: i % 2 === 0 ? 'user' : 'agent',
      invocationId: `i${i}`,
    }))
    await app.inject({ method: 'POST', url: events, payload: { events: batch } })
    const page = async (query: string) => (await app.inject(`${events}?${query}`)).json()
    const seqs = async (query: string) => (await page(query)).items.map(({ seq }: { seq: number }) => seq)
    const { nextCursor } = await page('limit=2')
    expect(await seqs(`limit=2&cursor=${nextCursor}`)).toEqual([3, 4])
    expect(await seqs('direction=desc&limit=2')).toEqual([5, 4])
    expect(await seqs('last=2')).toEqual([4, 5])
    expect(await seqs('afterSeq=3')).toEqual([4, 5])
    expect(await seqs('author=agent')).toEqual([2, 4])
    expect(await seqs('invocationId=i2')).toEqual([3])
    expect(await seqs('since=1003')).toEqual([4, 5])
    expect(await seqs('after=1003')).toEqual([5])
    expect(await seqs('offset=4')).toEqual([5])
    expect((await app.inject('/apps/shop/users/ann/sessions/none/events')).json()).toEqual({
      items: [],
      nextCursor: null,
    })
  })
})

describe('state', () => {
  test.each(['/apps/shop/state', '/apps/shop/users/ann/state'])('%s takes deltas and whole documents', async (url) => {
    const app = await startApp()
    const patch = async (payload: object, headers = {}) =>
      (await app.inject({ method: 'PATCH', url, payload, headers })).json()
    expect((await app.inject(url)).json()).toEqual({ state: {}, revision: 0, updatedAt: null })
    expect(await patch({ set: { a: 1, b: null } })).toMatchObject({
      state: { a: 1, b: null },
      revision: 1,
      updatedAt: expect.any(Number),
    })
    expect(await patch({ set: { c: [1] }, unset: ['a'] })).toMatchObject({ state: { b: null, c: [1] }, revision: 2 })
    expect(await patch({ replace: { d: {} } }, { 'if-match': '"2"' })).toMatchObject({ state: { d: {} }, revision: 3 })
    expect(await patch({ set: { e: 1 }, expectedRevision: 1 })).toMatchObject({ status: 409, revision: 3 })
    expect((await app.inject(url)).json()).toMatchObject({ state: { d: {} }, revision: 3 })
  })

  test('of a session is merged, and can be asked for at an earlier event', async () => {
    const app = await startApp()
    await app.inject({ method: 'PUT', url: session })
    const events = ['a', 'b'].map((topic) => ({ actions: { stateDelta: { topic, 'user:last': topic } } }))
    await app.inject({ method: 'POST', url: `${session}/events`, payload: { events } })
    expect((await app.inject(`${session}/state`)).json()).toEqual({
      state: { topic: 'b', 'user:last': 'b' },
      revision: 2,
    })
    expect((await app.inject(`${session}/state?atSeq=1`)).json()).toEqual({ state: { topic: 'a' } })
    const patched = await app.inject({
      method: 'PATCH',
      url: `${session}/state`,
      payload: { set: { 'app:open': true }, unset: ['topic'] },
    })
    expect(patched.json()).toEqual({ state: { 'user:last': 'b', 'app:open': true }, revision: 3 })
    expect(
      (await app.inject({ method: 'PATCH', url: `${session}/state`, payload: { replace: { 'user:x': 1 } } })).json(),
    ).toMatchObject({ status: 400, field: 'replace.user:x' })
    expect(
      (
        await app.inject({
          method: 'PATCH',
          url: '/apps/shop/users/ann/sessions/none/state',
          payload: { set: { a: 1 } },
        })
      ).statusCode,
    ).toBe(404)
  })
})
