import { createInMemoryStore } from '@daybook/core'
import { describe, expect, test } from 'vitest'
import { connected, openPage, type Ask } from './page.ts'
import { listen, startApp, until } from './start.ts'

const question = 'what is 2 + 3'
const isMessage = (url: string) => url.endsWith('/messages')
const problem = (status: number, retryable: boolean) =>
  Response.json({ status, detail: 'Said by the server.', retryable }, { status })
const said = (text: string) => ({ author: 'user', content: { role: 'user', parts: [{ text }] } })

describe('what was said on the page', () => {
  test('is asked again when the server was stopped in the middle of the turn and there is another one', async () => {
    const store = { ...createInMemoryStore(), close: async () => {} }
    const first = await startApp({ store, pace: { step: 300 } })
    const url = await listen(first)
    const page = await openPage(url)
    await connected(page)
    page.say(question)
    await until(() => page.lines().some((line) => line.startsWith('calculator')), 'the turn began')
    await first.close()
    await until(() => page.lines().join().includes('Send again'), 'the turn is known to be cut')
    expect(page.lines().join()).toContain('Not answered yet. The server is stopping.')
    expect(page.unanswered()).toEqual([question])

    const second = await startApp({ store })
    await second.listen({ host: '127.0.0.1', port: Number(new URL(url).port) })
    await until(() => page.lines().includes('2 + 3 = 5'), 'the turn was finished')
    await until(() => page.unanswered().length === 0, 'the page knows')
    expect(page.lines()).toHaveLength(4)
  })

  test.each([
    ['a server that is busy', () => problem(503, true), true],
    ['a limit of requests', () => problem(429, true), true],
    ['a proxy before a server that is away', () => new Response('<h1>Bad gateway</h1>', { status: 502 }), true],
    ['a proxy with words of its own', () => Response.json({ message: 'no upstream' }, { status: 502 }), true],
    ['a server that refuses it', () => problem(409, false), false],
    ['a model that will not answer it', () => problem(502, false), false],
    ['a proxy that refuses it', () => new Response('<h1>Forbidden</h1>', { status: 403 }), false],
  ])('and refused by %s is kept if it may be sent again', async (_who, refusal, isKept) => {
    const app = await startApp()
    const ask: Ask = async (url, init) => (isMessage(url) ? refusal() : fetch(url, init))
    const page = await openPage(await listen(app), ask)
    await connected(page)
    page.say(question)
    await until(() => page.lines().length === 2, 'the refusal is shown')
    expect(page.lines()[1]?.startsWith('Not answered yet.')).toBe(isKept)
    expect(page.unanswered()).toEqual(isKept ? [question] : [])
  })
})

test('a conversation that cannot be opened just now is opened a little later', async () => {
  const app = await startApp()
  let refused = 0
  const ask: Ask = async (url, init) =>
    init?.method === 'PUT' && refused++ === 0 ? problem(503, true) : fetch(url, init)
  await connected(await openPage(await listen(app), ask))
  expect(refused).toBe(2)
})

test('a conversation that is left and opened again before it has answered has one stream, and shows nothing in another', async () => {
  const app = await startApp()
  const held: (() => void)[] = []
  const ask: Ask = async (url, init) => {
    if (url.endsWith('/sessions/a')) await new Promise<void>((resolve) => held.push(resolve))
    return fetch(url, init)
  }
  const page = await openPage(await listen(app), ask)
  page.go('b')
  await connected(page)
  page.go('a')
  for (const answer of held) answer()
  await connected(page)
  expect(held).toHaveLength(2)
  page.go('c')
  await connected(page)
  expect(page.streams()).toBe(1)
  await app.store.events.append({ appName: 'chat', userId: 'ann', sessionId: 'a' }, said('in a'))
  await app.store.events.append({ appName: 'chat', userId: 'ann', sessionId: 'c' }, said('in c'))
  await until(() => page.lines().length > 0, 'something is shown')
  expect(page.lines()).toEqual(['in c'])
})
