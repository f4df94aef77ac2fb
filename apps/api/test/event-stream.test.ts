import { createInMemoryStore, type Store } from '@daybook/core'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { listen, sseIn, startApp, take, until } from './start.ts'

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
const path = '/apps/shop/users/ann/sessions/s1/events/stream'

async function started(options: { heartbeat?: number; store?: Store } = {}) {
  const app = await startApp(options)
  await app.store.sessions.create(key)
  await app.store.events.append(key, [{ id: 'e1' }, { id: 'e2' }])
  return { app, url: (await listen(app)) + path }
}

/** A store that counts the tails that run. */
function counted() {
  const inner = createInMemoryStore()
  const count = { open: 0 }
  async function* tail(...args: Parameters<Store['events']['tail']>) {
    count.open++
    try {
      yield* inner.events.tail(...args)
    } finally {
      count.open--
    }
  }
  const events = { ...inner.events, tail } as Store['events'] // the events are handed on as they come
  return { count, store: { ...inner, events, [Symbol.asyncDispose]: () => inner.close() } }
}

describe('the stream of events', () => {
  test('brings what is stored and then each new event, with its position as id', async () => {
    const { app, url } = await started()
    const response = await fetch(url)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    const messages = sseIn(response)
    expect((await take(messages, 2)).map(({ id, event }) => [id, event])).toEqual([
      ['1', 'event'],
      ['2', 'event'],
    ])
    await app.store.events.append(key, { id: 'e3', content: { parts: [{ text: 'two\nlines' }] } })
    const [third] = await take(messages, 1)
    expect(third?.data).toMatchObject({ seq: 3, event: { id: 'e3', content: { parts: [{ text: 'two\nlines' }] } } })
    await messages.return(undefined)
  })

  test('resumes after Last-Event-ID, which comes before afterSeq', async () => {
    const { url } = await started()
    const messages = sseIn(await fetch(`${url}?afterSeq=0`, { headers: { 'last-event-id': '1' } }))
    expect((await take(messages, 1))[0]?.id).toBe('2')
    await messages.return(undefined)
    const others = sseIn(await fetch(`${url}?afterSeq=1`))
    expect((await take(others, 1))[0]?.id).toBe('2')
    await others.return(undefined)
  })

  test('ends with a last message when the session is deleted', async () => {
    const { app, url } = await started()
    const messages = sseIn(await fetch(url))
    await take(messages, 2)
    await app.inject({ method: 'DELETE', url: '/apps/shop/users/ann/sessions/s1' })
    expect(await take(messages, 9)).toMatchObject([{ event: 'end' }])
  })

  test('shows signs of life', async () => {
    const { url } = await started({ heartbeat: 20 })
    const messages = sseIn(await fetch(`${url}?afterSeq=2`))
    expect(await take(messages, 2)).toMatchObject([{ event: 'comment' }, { event: 'comment' }])
    await messages.return(undefined)
  })

  test('is open before the first event', async () => {
    const { url } = await started()
    const response = await fetch(`${url}?afterSeq=2`)
    expect(response.status).toBe(200)
    await response.body?.cancel()
  })

  test('does not keep the server from closing', async () => {
    const { app, url } = await started()
    const messages = sseIn(await fetch(url))
    await take(messages, 2)
    const begun = performance.now()
    await app.close()
    expect(performance.now() - begun).toBeLessThan(1000)
    expect(await take(messages, 1)).toEqual([])
  })

  test.each([
    ['a missing session', path.replace('s1', 's2'), {}, 404, undefined],
    ['a position that is none', path, { 'last-event-id': 'x' }, 400, 'Last-Event-ID'],
    ['a negative position', `${path}?afterSeq=-1`, {}, 400, 'afterSeq'],
    ['a position beyond numbers', `${path}?afterSeq=99999999999999999999`, {}, 400, 'afterSeq'],
  ])('refuses %s before it begins', async (_what, url, headers, status, field) => {
    const { app } = await started()
    const response = await app.inject({ url, headers })
    expect(response.headers['content-type']).toMatch('application/problem+json')
    expect(response.json()).toMatchObject({ status, ...(field !== undefined && { field }) })
  })

  test('leaves the event whose id is "stream" to those who do not want a stream', async () => {
    const { app } = await started()
    await app.store.events.append(key, { id: 'stream', author: 'user' })
    const response = await app.inject({ url: path, headers: { accept: 'application/json' } })
    expect(response.json()).toMatchObject({ seq: 3, event: { id: 'stream', author: 'user' } })
  })

  test('is not limited in rate', async () => {
    const app = await startApp({ rateLimit: 1 })
    await app.store.sessions.create(key)
    const url = (await listen(app)) + path
    for (let i = 0; i < 3; i++) {
      const response = await fetch(url)
      expect(response.status).toBe(200)
      await response.body?.cancel()
    }
  })
})

describe('a client of the stream', () => {
  test('that goes away ends the tail', async () => {
    const { store, count } = counted()
    const { url } = await started({ store })
    const messages = sseIn(await fetch(url))
    await take(messages, 2)
    expect(count.open).toBe(1)
    await messages.return(undefined)
    await until(() => count.open === 0, 'the tail ended')
  })

  test('that does not read costs one message at a time, and its tail ends when it goes away', async () => {
    const { store, count } = counted()
    let taken = 0
    async function* counting(...args: Parameters<Store['events']['tail']>) {
      for await (const event of store.events.tail(...args)) {
        taken++
        yield event
      }
    }
    const { url, app } = await started({
      store: { ...store, events: { ...store.events, tail: counting } as Store['events'] },
    }) // as above
    const text = 'x'.repeat(1_000_000)
    for (let i = 0; i < 30; i++) await app.store.events.append(key, { content: text })
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    socket.pause()
    socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
    await until(() => taken > 2, 'the stream began')
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(taken).toBeLessThan(20)
    socket.destroy()
    await until(() => count.open === 0, 'the tail ended')
  })
})
