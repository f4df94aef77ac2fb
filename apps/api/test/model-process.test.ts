import type { StoredEvent } from '@daybook/core'
import { expect, test } from 'vitest'
import { secretKey, startModel } from './model-server.ts'
import { failedServer, newPlace, startServer, type ServerProcess } from './process.ts'
import { until } from './start.ts'

const session = '/apps/chat/users/ann/sessions/s1'

const send = (server: ServerProcess, method: string, path: string, body: object = {}) =>
  fetch(server.url + path, { method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
const say = (server: ServerProcess) => send(server, 'POST', `${session}/messages`, { text: 'I am Ann', eventId: 'm1' })

async function eventsOf(server: ServerProcess): Promise<StoredEvent[]> {
  const { items } = (await (await fetch(`${server.url}${session}/events`)).json()) as { items: StoredEvent[] } // as the API says
  return items
}

test.each([
  ['SIGKILL', { code: null, status: undefined }],
  ['SIGTERM', { code: 0, status: 503 }],
] as const)(
  'a server ended by %s while the model thinks finishes the turn when it is asked again',
  async (signal, end) => {
    const calls = [{ name: 'remember', args: { subject: 'name', value: 'Ann' } }]
    const model = await startModel('openai', { calls }, { after: new Promise(() => {}) }, { text: 'Hi, Ann.' })
    const place = await newPlace()
    const first = await startServer(place, { ...model.env })
    expect(first.output()).toMatch(/^The assistant is test-model at 127\.0\.0\.1:\d+$/m)
    await send(first, 'PUT', session)
    const asked = say(first).catch(() => undefined)
    await until(() => model.asked.length === 2, 'the model thinks about the result')
    const before = await eventsOf(first)
    expect(before.map(({ event }) => event.id)).toEqual(['m1', 'm1:2', 'm1:3'])
    const { code } = await first.stop(signal)
    expect({ code, status: (await asked)?.status }).toEqual(end)

    const second = await startServer(place, { ...model.env })
    const answer = await (await say(second)).json()
    expect(answer).toMatchObject({ text: 'Hi, Ann.' })
    const after = await eventsOf(second)
    expect(after.slice(0, 3)).toEqual(before)
    expect(after.map(({ event }) => event.id)).toEqual(['m1', 'm1:2', 'm1:3', 'm1:4'])
    expect(await (await fetch(`${second.url}${session}/state`)).json()).toMatchObject({ state: { 'user:name': 'Ann' } })
    expect(model.asked).toHaveLength(3)
    expect(await (await say(second)).json()).toEqual(answer)
    expect(first.output() + second.output()).not.toContain(secretKey)
  },
  // Two starts of a server that loads ADK, which takes long on a busy machine.
  300_000,
)

/** What a process cannot load that has this in NODE_OPTIONS: ADK and what is over it. */
const withoutAdk = `--import=data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module'
  register('data:text/javascript,' + encodeURIComponent(\`
    export function resolve(name, context, next) {
      if (!/@google.adk|@daybook.adk/.test(name)) return next(name, context)
      throw Object.assign(new Error('not here: ' + name), { code: 'ERR_MODULE_NOT_FOUND' })
    }\`))
`)}`

test('without a model nothing of ADK is loaded', async () => {
  const place = await newPlace()
  const server = await startServer(place, { NODE_OPTIONS: withoutAdk })
  expect((await send(server, 'PUT', session)).ok).toBe(true)
  expect(await (await say(server)).json()).toMatchObject({ text: expect.stringContaining('Ann') as string })
  const { code, output } = await failedServer(place, {
    NODE_OPTIONS: withoutAdk,
    MODEL: 'x',
    OPENAI_BASE_URL: 'http://127.0.0.1:1',
  })
  expect([code, output]).toEqual([1, expect.stringContaining('npm install @daybook/adk @google/adk zod')])
})

test('a server says which assistant answers, or why none can', async () => {
  const place = await newPlace()
  const server = await startServer(place)
  expect(server.output()).toMatch(/^The assistant is rule-based, without a language model; MODEL names one$/m)
  expect(await (await fetch(`${server.url}/health`)).json()).toEqual({ status: 'ok', assistant: 'rule-based' })
  const { code, output } = await failedServer(place, { MODEL: 'qwen' })
  expect(code).toBe(1)
  expect(output).toMatch(/^Daybook did not start: MODEL is set, but not where it is: set GEMINI_API_KEY/m)
})
