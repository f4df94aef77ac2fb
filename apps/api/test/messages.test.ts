import { createInMemoryStore, type StoredEvent } from '@daybook/core'
import { describe, expect, test } from 'vitest'
import { listen, sseIn, startApp, take } from './start.ts'

const key = { appName: 'chat', userId: 'ann', sessionId: 's1' }
const session = '/apps/chat/users/ann/sessions/s1'

type App = Awaited<ReturnType<typeof startApp>>

async function started(options: Parameters<typeof startApp>[0] = {}): Promise<App> {
  const app = await startApp(options)
  await app.store.sessions.create(key)
  return app
}

const post = (app: App, text: string, eventId?: string, url = session) =>
  app.inject({ method: 'POST', url: `${url}/messages`, payload: { text, ...(eventId !== undefined && { eventId }) } })
const say = async (app: App, text: string, url = session): Promise<string> =>
  (await post(app, text, undefined, url)).json().text
const stored = async (app: App): Promise<readonly StoredEvent[]> => (await app.store.events.list(key)).items

const streamed = (url: string, payload: object) =>
  fetch(`${url}${session}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(payload),
  })

describe('the assistant', () => {
  test.each(['Hello!', 'hi there', 'help', 'What can you do?'])('says that it is rule-based: %s', async (text) => {
    expect(await say(await started(), text)).toMatch(/rule-based.*no language model, no network/)
  })

  test('remembers facts about a user in every session, and forgets them', async () => {
    const app = await started()
    expect(await say(app, 'What do you know about me?')).toBe('I know nothing about you yet.')
    expect(await say(app, 'My name is Ann.')).toBe('Nice to meet you, Ann.')
    await say(app, 'I live in Oslo')
    await say(app, 'Remember that my cat is Tom')
    await say(app, 'remember that __proto__ is odd')
    await app.store.sessions.create({ ...key, sessionId: 's2' })
    const other = session.replace('s1', 's2')
    expect(await say(app, "what's my name?", other)).toBe('Your name is Ann.')
    expect(await say(app, 'where do I live', other)).toBe('You live in Oslo.')
    expect(await say(app, 'What is my cat?', other)).toBe('Your cat is Tom.')
    expect(await say(app, 'what do you know about me', other)).toBe(
      'I know that your name is Ann; you live in Oslo; __proto__ is odd; your cat is Tom.',
    )
    expect(await app.store.state.get({ appName: 'chat', userId: 'ann' })).toMatchObject({
      state: { name: 'Ann', home: 'Oslo', 'fact:my cat': 'Tom' },
    })
    expect(await say(app, 'forget my cat')).toBe('I have forgotten your cat.')
    expect(await say(app, 'forget my cat')).toBe('There is nothing to forget: I do not know your cat.')
    expect(await say(app, 'forget everything')).toMatch(/^I have forgotten everything about you, /)
    expect(await say(app, 'who am I?')).toBe('You have not told me your name.')
  })

  test('keeps a topic in the session', async () => {
    const app = await started()
    expect(await say(app, 'What are we talking about?')).toBe('We have no topic yet.')
    expect(await say(app, "Let's talk about green tea.")).toBe('Let us talk about green tea.')
    expect(await say(app, 'what are we talking about')).toBe('We are talking about green tea.')
    expect(await say(app, 'blah blah')).toMatch(/^I did not understand that. \(We are talking about green tea.\)/)
    expect((await app.store.sessions.get(key))?.state).toEqual({ topic: 'green tea' })
  })

  test.each([
    ['what is 2 + 2 * 10', 'calculator', '2 + 2 * 10 = 22'],
    ['(1 + 2)^2 = ?', 'calculator', '(1 + 2)^2 = 9'],
    ['calculate 1 / 0', 'calculator', 'I cannot calculate that. Division by zero at position 3.'],
    ['calculate the meaning of life', 'calculator', /^I cannot calculate that. Unknown name "the" at position 1/],
    ['what time is it in Tokyo?', 'clock', /^It is \d\d:\d\d on .* \(Asia\/Tokyo\)\.$/],
    ['What is the date in America/New_York', 'clock', /^Today is .* \(America\/New_York\)\.$/],
    ['what day is it today?', 'clock', /^Today is /],
    ['what time is it in Atlantis', 'clock', 'I know no time zone called Atlantis.'],
  ])('uses a tool and stores call and result: %s', async (text, tool, answer) => {
    const app = await started()
    expect(await say(app, text)).toMatch(answer)
    const [said, call, result, last] = (await stored(app)).map(({ event }) => event)
    expect(said).toMatchObject({ author: 'user', content: { role: 'user', parts: [{ text }] } })
    expect(call).toMatchObject({ author: 'assistant', content: { parts: [{ functionCall: { name: tool } }] } })
    expect(result).toMatchObject({ content: { parts: [{ functionResponse: { id: call?.id, name: tool } }] } })
    expect(last).toMatchObject({ turnComplete: true, content: { role: 'model' } })
    expect(new Set([said, call, result, last].map((event) => event?.invocationId)).size).toBe(1)
  })
})

describe('a repeated message', () => {
  test('answers the same turn and stores nothing', async () => {
    const app = await started()
    const first = await post(app, 'what time is it', 'm1')
    const again = await post(app, 'what time is it', 'm1')
    expect(again.json()).toEqual(first.json())
    expect(await stored(app)).toHaveLength(4)
  })

  test('at the same time is one turn', async () => {
    const app = await started({ pace: { step: 5 } })
    const answers = await Promise.all(Array.from({ length: 8 }, () => post(app, 'what time is it', 'm1')))
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
    expect(await stored(app)).toHaveLength(4)
  })

  test('in two processes at the same time is one turn', async () => {
    const store = createInMemoryStore()
    const apps = [await startApp({ store, pace: { step: 3 } }), await startApp({ store, pace: { step: 4 } })]
    await store.sessions.create(key)
    const answers = await Promise.all(apps.map((app) => post(app, 'what time is it', 'm1')))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200])
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
  })

  test('with another text is refused', async () => {
    const app = await started()
    await post(app, 'hello', 'm1')
    expect((await post(app, 'help', 'm1')).json()).toMatchObject({ status: 409, code: 'conflict', field: 'eventId' })
    expect(await stored(app)).toHaveLength(2)
  })

  test('goes on with a turn that was cut, wherever that was', async () => {
    const whole = await started()
    await post(whole, 'what time is it in UTC', 'm1')
    const events = (await stored(whole)).map(({ event }) => event)
    for (let kept = 1; kept <= events.length; kept++) {
      const app = await started()
      await app.store.events.append(key, events.slice(0, kept))
      const { events: turn } = (await post(app, 'what time is it in UTC', 'm1')).json()
      expect(turn.slice(0, kept).map(({ event }: StoredEvent) => event)).toEqual(events.slice(0, kept))
      expect((await stored(app)).map(({ event }) => event.id)).toEqual(events.map(({ id }) => id))
    }
  })

  test('has ids that fit, however long the message id is', async () => {
    const app = await started()
    for (const id of ['a'.repeat(191), '€'.repeat(170)]) {
      const first = await post(app, '1+1', id)
      expect(first.statusCode).toBe(200)
      expect((await post(app, '1+1', id)).body).toBe(first.body)
    }
    expect(await stored(app)).toHaveLength(8)
  })

  test('is refused when another event has an id of its turn', async () => {
    const app = await started()
    await app.store.events.append(key, { id: 'm1:answer' })
    expect((await post(app, 'hello', 'm1')).json()).toMatchObject({ status: 409, field: 'eventId' })
  })
})

describe('a streamed turn', () => {
  test('brings events, words and what the other form answers', async () => {
    const app = await started()
    const url = await listen(app)
    const messages = await take(sseIn(await streamed(url, { text: 'what is 2 + 2', eventId: 'm1' })), 99)
    expect(messages.map(({ event }) => event)).toEqual([
      'event',
      'event',
      'event',
      ...Array.from({ length: 5 }, () => 'word'),
      'event',
      'done',
    ])
    const words = messages.flatMap(({ event, data }) => (event === 'word' ? [(data as { text: string }).text] : [])) // as the API says
    expect(words.join('')).toBe('2 + 2 = 4')
    expect(messages.at(-1)?.data).toEqual((await post(app, 'what is 2 + 2', 'm1')).json())
    expect(await stored(app)).toHaveLength(4)
  })

  test('is a problem when it cannot begin', async () => {
    const app = await startApp()
    const response = await streamed(await listen(app), { text: 'hi' })
    expect(response.status).toBe(404)
    expect(response.headers.get('content-type')).toMatch('application/problem+json')
  })

  test('ends although its client went away', async () => {
    const app = await started({ pace: { step: 20 } })
    const messages = sseIn(await streamed(await listen(app), { text: 'what is 2 + 2', eventId: 'm1' }))
    await take(messages, 1)
    await messages.return(undefined)
    await expect.poll(async () => (await stored(app)).length).toBe(4)
  })

  test('says so when the session is deleted meanwhile', async () => {
    const app = await started({ pace: { step: 50 } })
    const messages = sseIn(await streamed(await listen(app), { text: 'what is 2 + 2' }))
    await take(messages, 1)
    await app.store.sessions.delete(key)
    const rest = await take(messages, 99)
    expect(rest.at(-1)).toMatchObject({ event: 'error', data: { code: 'not_found' } })
  })

  test('is cut by a closing server and can be asked for again', async () => {
    const store = createInMemoryStore()
    const closing = await started({ store: { ...store, close: async () => {} }, pace: { step: 10_000 } })
    const answer = post(closing, 'what is 2 + 2', 'm1')
    await expect.poll(async () => (await store.events.list(key)).items.length).toBe(1)
    await closing.close()
    expect((await answer).json()).toMatchObject({ status: 503, retryable: true })
    const app = await startApp({ store })
    expect((await post(app, 'what is 2 + 2', 'm1')).json().text).toBe('2 + 2 = 4')
    expect(await stored(app)).toHaveLength(4)
  })
})
