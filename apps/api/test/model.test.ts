import { createInMemoryStore, StoreError, type StoredEvent } from '@daybook/core'
import type { FastifyInstance } from 'fastify'
import { EventEmitter, once } from 'node:events'
import { Writable } from 'node:stream'
import { beforeAll, describe, expect, test } from 'vitest'
import type { AppOptions } from '../src/app.ts'
import { openAssistant } from '../src/assistant/open-assistant.ts'
import { loadConfig } from '../src/config.ts'
import { createLogger } from '../src/logger.ts'
import { secretKey, startModel, type ModelServer, type Protocol, type Step } from './model-server.ts'
import { listen, sseIn, startApp, take, until, type Sse } from './start.ts'

const key = { appName: 'chat', userId: 'ann', sessionId: 's1' }
const session = '/apps/chat/users/ann/sessions/s1'

const openingIn = async ({ env }: ModelServer, more: Record<string, string> = {}, logger = createLogger('silent')) =>
  openAssistant(loadConfig({ ...env, ...more }), logger)

/** An app that talks to the model, with a session. */
async function started(model: ModelServer, options: Partial<AppOptions> = {}): Promise<FastifyInstance> {
  const app = await startApp({ assistant: await openingIn(model), ...options })
  await app.store.sessions.create(key)
  return app
}

const post = (app: FastifyInstance, text: string, eventId: string, url = session) =>
  app.inject({ method: 'POST', url: `${url}/messages`, payload: { text, eventId } })
const streamed = (url: string, payload: object, signal?: AbortSignal) =>
  fetch(`${url}${session}/messages`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'text/event-stream' },
    body: JSON.stringify(payload),
    ...(signal !== undefined && { signal }),
  })
const stored = async (app: FastifyInstance): Promise<readonly StoredEvent[]> => (await app.store.events.list(key)).items
const ids = async (app: FastifyInstance) => (await stored(app)).map(({ event }) => event.id)
const words = (messages: readonly Sse[]) =>
  messages.flatMap(({ event, data }) => (event === 'word' ? [(data as { text: string }).text] : [])) // as the API says

const remembers: Step = { calls: [{ name: 'remember', args: { subject: 'name', value: 'Ann' } }] }

// ADK, which an app loads when it is asked for, loads before the time of the first test runs.
beforeAll(async () => {
  await import('../src/model/open-model.ts')
})

/** A promise, and what resolves it. */
function gate(): { readonly opened: Promise<unknown>; readonly open: () => void } {
  const opening = new EventEmitter()
  return { opened: once(opening, 'open'), open: () => void opening.emit('open') }
}

describe.each<Protocol>(['openai', 'gemini'])('a model that speaks %s', (protocol) => {
  test('answers a message, and the turn is in the session as any other', async () => {
    const model = await startModel(protocol, { text: 'Hello, who are you?' })
    const app = await started(model)
    const answer = await post(app, 'hi', 'm1')
    expect(answer.json()).toMatchObject({ eventId: 'm1', invocationId: 'm1:turn', text: 'Hello, who are you?' })
    const events = (await stored(app)).map(({ event }) => event)
    expect(events).toMatchObject([
      { id: 'm1', author: 'user', invocationId: 'm1:turn', content: { role: 'user', parts: [{ text: 'hi' }] } },
      {
        id: 'm1:2',
        author: 'assistant',
        invocationId: 'm1:turn',
        content: { role: 'model' },
        finishReason: 'STOP',
        usageMetadata: { promptTokenCount: 12, candidatesTokenCount: 7, totalTokenCount: 19 },
      },
    ])
    expect(model.asked).toMatchObject([{ key: expect.stringContaining(secretKey), isStream: false }])
    expect((await app.inject(`${session}?events=all`)).json().events).toEqual(answer.json().events)
    expect((await app.inject('/health')).json().assistant).toMatch(/^(?:test-model|gemini-test) at 127\.0\.0\.1:\d+$/)
  })

  test('uses tools, whose changes of state the next session of the user begins with', async () => {
    const model = await startModel(protocol, remembers, { text: 'Nice to meet you, Ann.' }, { text: 'You are Ann.' })
    const app = await started(model)
    expect((await post(app, 'I am Ann', 'm1')).json().text).toBe('Nice to meet you, Ann.')
    const [said, call, result, answer] = (await stored(app)).map(({ event }) => event)
    expect([said, call, result, answer].map((event) => event?.id)).toEqual(['m1', 'm1:2', 'm1:3', 'm1:4'])
    expect(call).toMatchObject({ content: { parts: [{ functionCall: { name: 'remember' } }] } })
    expect(result).toMatchObject({
      content: { parts: [{ functionResponse: { name: 'remember', response: { remembered: { name: 'Ann' } } } }] },
      actions: { stateDelta: { 'user:name': 'Ann' } },
    })
    expect(await app.store.state.get({ appName: 'chat', userId: 'ann' })).toMatchObject({ state: { name: 'Ann' } })
    expect(model.asked[0]?.body).not.toMatch(/\\"name\\":\\"Ann\\"/)
    const other = session.replace('s1', 's2')
    await app.store.sessions.create({ ...key, sessionId: 's2' })
    expect((await post(app, 'who am I', 'm1', other)).json().text).toBe('You are Ann.')
    expect(model.asked[2]?.body).toMatch(/\\"name\\":\\"Ann\\"/)
  })

  test('forgets, so that the key is gone', async () => {
    const forgets = { calls: [{ name: 'forget', args: { subject: 'everything' } }] }
    const model = await startModel(protocol, forgets, { text: 'Forgotten.' })
    const app = await started(model)
    const user = { appName: 'chat', userId: 'ann' }
    await app.store.state.update(user, { set: { name: 'Ann', home: 'Oslo', 'fact:my cat': 'Tom', likes: 'tea' } })
    await post(app, 'forget me', 'm1')
    expect(await app.store.state.get(user)).toMatchObject({ state: { likes: 'tea' } })
    expect((await app.store.sessions.get(key))?.state).toEqual({ 'user:likes': 'tea' })
  })

  test('has the tools of the rule-based assistant, several at once, and is told of those that there are not', async () => {
    const calls = [
      { name: 'calculator', args: { expression: '2 + 2 * 10' } },
      { name: 'clock', args: { place: 'Atlantis' } },
      { name: 'set_topic', args: { topic: 'tea' } },
      { name: 'calculator', args: { wrong: true } },
      { name: 'constructor', args: {} },
    ]
    const model = await startModel(protocol, { text: 'Wait.', calls }, { text: 'Done.' })
    const app = await started(model)
    expect((await post(app, 'do it all', 'm1')).json().text).toBe('Done.')
    const results = (await stored(app))[2]?.event.content as { parts: { functionResponse: { response: object } }[] } // as ADK writes it
    expect(results.parts.map(({ functionResponse: { response } }) => response)).toEqual([
      { value: 22 },
      { error: 'I know no time zone called Atlantis' },
      { topic: 'tea' },
      { error: expect.stringMatching(/calculator.*expression/s) },
      { error: 'There is no tool called constructor' },
    ])
    expect((await app.store.sessions.get(key))?.state).toEqual({ topic: 'tea' })
    expect(model.asked[1]?.body).toContain('I know no time zone called Atlantis')
  })

  test('keeps notes and files once, also when the server dies between a tool and its result', async () => {
    const calls = [
      { name: 'save_file', args: { name: 'user:plan.txt', text: 'sleep\n' } },
      { name: 'save_note', args: { text: 'Ann sleeps' } },
      { name: 'list_files', args: {} },
    ]
    const looks = [
      { name: 'search_notes', args: { query: 'who SLEEPS' } },
      { name: 'read_file', args: { name: 'user:plan.txt' } },
      { name: 'read_file', args: { name: 'plan.txt' } },
    ]
    const model = await startModel(protocol, { calls }, { calls: looks }, { text: 'Done.' })
    const store = createInMemoryStore()
    let isOver = false
    const append: typeof store.events.append = async (to, events, options) => {
      if (!isOver && JSON.stringify(events).includes('"functionResponse"')) {
        isOver = true
        throw new StoreError('unavailable', 'gone')
      }
      return store.events.append(to, events, options)
    }
    const app = await started(model, { store: { ...store, events: { ...store.events, append } } })
    expect((await post(app, 'keep it', 'm1')).statusCode).toBe(503)
    expect((await post(app, 'keep it', 'm1')).json().text).toBe('Done.')
    const files = await store.artifacts.versions({ ...key, name: 'user:plan.txt' })
    expect(files.items).toMatchObject([{ version: 0, size: 6, mimeType: 'text/plain; charset=utf-8' }])
    expect((await store.memories.list({ appName: 'chat', userId: 'ann' })).items).toMatchObject([
      { text: 'Ann sleeps' },
    ])
    const results = (await stored(app)).flatMap(({ event }) =>
      (event.content as { parts: { functionResponse?: { response: object } }[] }).parts.flatMap(
        ({ functionResponse }) => functionResponse?.response ?? [],
      ),
    ) // as ADK writes it
    expect(results).toEqual([
      { name: 'user:plan.txt', version: 0, size: 6 },
      { id: expect.stringMatching(/^call-[\da-f]{64}$/), noted: 'Ann sleeps' },
      { files: [{ name: 'user:plan.txt', size: 6 }] },
      { notes: ['Ann sleeps'] },
      { name: 'user:plan.txt', text: 'sleep\n', size: 6 },
      { error: 'There is no file called plan.txt' },
    ])
  })

  test('streams words, and at last what the other form answers', async () => {
    const model = await startModel(protocol, { text: 'I will. ', ...remembers }, { text: 'Nice to meet you, Ann.' })
    const app = await started(model)
    const url = await listen(app)
    const messages = await take(sseIn(await streamed(url, { text: 'I am Ann', eventId: 'm1' })), 99)
    expect(words(messages).join('')).toBe('I will. Nice to meet you, Ann.')
    expect(messages.filter(({ event }) => event !== 'word').map(({ event, id }) => [event, id])).toEqual([
      ['event', '1'],
      ['event', '2'],
      ['event', '3'],
      ['event', '4'],
      ['done', undefined],
    ])
    expect(model.asked.map(({ isStream }) => isStream)).toEqual([true, true])
    expect(messages.at(-1)?.data).toEqual((await post(app, 'I am Ann', 'm1')).json())
    expect(await ids(app)).toEqual(['m1', 'm1:2', 'm1:3', 'm1:4'])
    const [, said] = (await stored(app)).map(({ event }) => event)
    expect(said).toMatchObject({ usageMetadata: { totalTokenCount: 19 }, finishReason: 'STOP' })
    const resumed = sseIn(await fetch(`${url}${session}/events/stream`, { headers: { 'last-event-id': '3' } }))
    expect(await take(resumed, 1)).toMatchObject([{ id: '4', data: { event: { id: 'm1:4' } } }])
  })

  test.each([
    [401, 502, 'model_refused', false],
    [404, 502, 'model_refused', false],
    [429, 503, 'model_unavailable', true],
    [500, 503, 'model_unavailable', true],
    [503, 503, 'model_unavailable', true],
  ])('that answers %i is a problem %i %s, which shows no key, and the turn can be asked for again', async (...row) => {
    const [theirs, status, code, retryable] = row
    const model = await startModel(protocol, { status: theirs }, { status: theirs }, { text: 'At last.' })
    let log = ''
    const out = new Writable({
      write: (chunk, _encoding, done) => {
        log += String(chunk)
        done()
      },
    })
    const logger = createLogger('trace', out)
    const app = await started(model, { assistant: await openingIn(model, {}, logger), logger })
    const refused = await post(app, 'hi', 'm1')
    expect(refused.statusCode).toBe(status)
    expect(refused.headers['content-type']).toMatch('application/problem+json')
    expect(refused.json()).toMatchObject({ type: `urn:daybook:problem:${code}`, status, code, retryable })
    expect(refused.headers['retry-after']).toBe(status === 503 ? '1' : undefined)
    const url = await listen(app)
    const messages = await take(sseIn(await streamed(url, { text: 'hi', eventId: 'm1' })), 99)
    expect(messages.at(-1)).toMatchObject({ event: 'error', data: { code } })
    expect(log).toContain('no, not with')
    expect(log + refused.body + JSON.stringify(messages)).not.toContain(secretKey)
    expect(await ids(app)).toEqual(['m1'])
    expect((await post(app, 'hi', 'm1')).json().text).toBe('At last.')
    expect(await ids(app)).toEqual(['m1', 'm1:2'])
  })

  test.each(['', 'data: {"choices":[{"delta":{"content":"Hel', 'data: }{\n\n', '<html>Bad gateway</html>'])(
    'whose stream is broken (%j) gave no answer',
    async (raw) => {
      const model = await startModel(protocol, { raw }, { text: 'Hello.' })
      const app = await started(model)
      const messages = await take(sseIn(await streamed(await listen(app), { text: 'hi', eventId: 'm1' })), 99)
      expect(messages.at(-1)).toMatchObject({ event: 'error', data: { code: 'model_malformed', retryable: true } })
      expect(await ids(app)).toEqual(['m1'])
      expect((await post(app, 'hi', 'm1')).json().text).toBe('Hello.')
    },
  )

  test('that says nothing gave no answer', async () => {
    const app = await started(await startModel(protocol, {}))
    expect((await post(app, 'hi', 'm1')).json()).toMatchObject({
      status: 502,
      code: 'model_malformed',
      retryable: true,
    })
  })

  test('that is silent for too long is a timeout', async () => {
    const model = await startModel(protocol, { after: new Promise(() => {}) })
    const app = await started(model, { assistant: await openingIn(model, { MODEL_TIMEOUT: '50' }) })
    expect((await post(app, 'hi', 'm1')).json()).toMatchObject({ status: 504, code: 'model_timeout', retryable: true })
  })

  test('goes on although its client went away', async () => {
    const { opened, open } = gate()
    const app = await started(await startModel(protocol, { text: 'Slow, but sure.', after: opened }))
    const client = new AbortController()
    const messages = sseIn(await streamed(await listen(app), { text: 'hi', eventId: 'm1' }, client.signal))
    await take(messages, 1)
    client.abort()
    open()
    await expect.poll(() => ids(app), { timeout: 60_000 }).toEqual(['m1', 'm1:2'])
  })

  test('is cut by a closing server, and goes on with the same message', async () => {
    const store = createInMemoryStore()
    const { opened: isAsked, open: asked } = gate()
    const model = await startModel(protocol, remembers, { after: new Promise(() => {}), asked }, { text: 'Hi, Ann.' })
    const closing = await started(model, { store: { ...store, close: async () => {} } })
    const answer = post(closing, 'I am Ann', 'm1')
    await isAsked
    await closing.close()
    expect((await answer).json()).toMatchObject({ status: 503, code: 'closed', retryable: true })
    const app = await startApp({ store, assistant: await openingIn(model) })
    expect((await post(app, 'I am Ann', 'm1')).json().text).toBe('Hi, Ann.')
    expect(await ids(app)).toEqual(['m1', 'm1:2', 'm1:3', 'm1:4'])
    expect(model.asked).toHaveLength(3)
  })

  test('is asked only for what a turn that was cut does not have, wherever that was', async () => {
    const steps = [
      { text: 'Wait.', calls: [...(remembers.calls ?? []), { name: 'clock', args: {} }] },
      { calls: [{ name: 'set_topic', args: { topic: 'tea' } }] },
      { text: 'Done.' },
    ]
    const whole = await started(await startModel(protocol, ...steps))
    await post(whole, 'go', 'm1')
    const events = (await stored(whole)).map(({ event }) => event)
    expect(events).toHaveLength(6)
    for (let kept = 1; kept <= events.length; kept++) {
      const model = await startModel(protocol, ...steps.slice(Math.floor(kept / 2)))
      const store = createInMemoryStore()
      const app = await started(model, { store })
      await store.events.append(key, events.slice(0, kept))
      const { events: turn } = (await post(app, 'go', 'm1')).json()
      expect(turn.slice(0, kept).map(({ event }: StoredEvent) => event)).toEqual(events.slice(0, kept))
      expect(await ids(app)).toEqual(events.map(({ id }) => id))
      expect(model.steps).toEqual([])
      expect(model.asked).toHaveLength(3 - Math.floor(kept / 2))
      expect((await store.sessions.get(key))?.state).toEqual({ topic: 'tea', 'user:name': 'Ann' })
    }
  })

  test('in two processes at once makes one turn of one message', async () => {
    const store = createInMemoryStore()
    const models = [
      await startModel(protocol, remembers, { text: 'One.' }),
      await startModel(protocol, { calls: [{ name: 'clock', args: {} }] }, { text: 'Two.' }),
    ]
    await store.sessions.create(key)
    const apps = await Promise.all(models.map(async (model) => startApp({ store, assistant: await openingIn(model) })))
    const answers = await Promise.all(apps.map((app) => post(app, 'go', 'm1')))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200])
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1)
    expect((await store.events.list(key)).items.map(({ event }) => event.id)).toEqual(['m1', 'm1:2', 'm1:3', 'm1:4'])
  })

  test('answers two messages of one session one after the other', async () => {
    const { opened, open } = gate()
    const model = await startModel(protocol, { text: 'First.', after: opened }, { text: 'Second.' })
    const app = await started(model)
    const one = post(app, 'one', 'm1')
    await until(() => model.asked.length === 1, 'the model is asked')
    const two = post(app, 'two', 'm2')
    const again = post(app, 'one', 'm1')
    open()
    expect((await one).json().text).toBe('First.')
    expect((await two).json().text).toBe('Second.')
    expect((await again).body).toBe((await one).body)
    expect(await ids(app)).toEqual(['m1', 'm1:2', 'm2', 'm2:2'])
    expect(model.asked[1]?.body).toContain('First.')
  })

  test('is shown a history with odd events and calls without results as one that it can take', async () => {
    const model = await startModel(protocol, { text: 'Fine.' })
    const app = await started(model)
    await app.store.events.append(key, [
      { id: 'e1' },
      { id: 'e2', author: 'shop', content: { parts: 'odd' } },
      { id: 'e3', author: 'shop', content: { role: 'user', parts: [{ text: 'green' }] } },
      {
        id: 'e4',
        author: 'assistant',
        content: { role: 'model', parts: [{ functionCall: { id: 'c1', name: 'clock' } }] },
      },
      { id: 'e5', author: 'user', content: { role: 'user', parts: [{ functionResponse: { id: 'c9', name: 'x' } }] } },
      { id: 'e6', author: 'assistant', content: { role: 'model', parts: [{ text: 'Noon.' }] } },
    ])
    expect((await post(app, 'hi', 'm1')).json().text).toBe('Fine.')
    expect(model.asked[0]?.body).toContain('The call was cut off')
    expect(model.asked[0]?.body).not.toContain('c9')
  })

  test('does not answer for another event: its ids are refused', async () => {
    const model = await startModel(protocol, { text: 'Hi.' }, { text: 'Hi.' })
    const app = await started(model)
    await app.store.events.append(key, { id: 'm1:2' })
    expect((await post(app, 'hi', 'm1')).json()).toMatchObject({ status: 409, code: 'conflict', field: 'eventId' })
    await post(app, 'hi', 'm2')
    expect((await post(app, 'ho', 'm2')).json()).toMatchObject({ status: 409, code: 'conflict', field: 'eventId' })
    expect((await post(app, 'hi', 'm1', session.replace('s1', 'none'))).statusCode).toBe(404)
  })

  test('is told when the session was deleted meanwhile', async () => {
    const { opened, open } = gate()
    const model = await startModel(protocol, { text: 'Late.', after: opened })
    const app = await started(model)
    const answer = post(app, 'hi', 'm1')
    await until(() => model.asked.length === 1, 'the model is asked')
    await app.store.sessions.delete(key)
    open()
    expect((await answer).json()).toMatchObject({ status: 404, code: 'not_found' })
  })
})
