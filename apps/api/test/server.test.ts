import type { StoredEvent } from '@daybook/core'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { backend } from './server-url.ts'
import { failedServer, startServer, newPlace, type ServerProcess } from './process.ts'
import { sseIn, take, until, type Sse } from './start.ts'

const session = '/apps/chat/users/ann/sessions/s1'
const flavour = { sqlite: 'sqlite', pg: 'postgresql', mariadb: 'mariadb', mysql: 'mysql' }[backend]
const json = { 'content-type': 'application/json' }

const send = (server: ServerProcess, method: string, path: string, body: object = {}) =>
  fetch(server.url + path, { method, headers: json, body: JSON.stringify(body) })
const append = (server: ServerProcess, id: string) =>
  send(server, 'POST', `${session}/events`, { events: [{ id, author: 'test' }] })
const say = (server: ServerProcess, text: string, eventId: string) =>
  send(server, 'POST', `${session}/messages`, { text, eventId })

async function eventsOf(server: ServerProcess): Promise<StoredEvent[]> {
  const response = await fetch(`${server.url}${session}/events?limit=1000`)
  const { items } = (await response.json()) as { items: StoredEvent[] } // as the API says
  return items
}

const stored = ({ data }: Sse): StoredEvent => data as StoredEvent // as the stream says

describe('a server killed in the middle of a turn', () => {
  test.each([
    ['after the message', 1],
    ['after the tool call', 2],
    ['after the tool result', 3],
  ])('%s has every acknowledged event, none twice, and finishes the turn when asked again', async (_when, seen) => {
    const place = await newPlace()
    const first = await startServer(place, { ASSISTANT_STEP_DELAY: '250' })
    await send(first, 'PUT', session)
    const watched = sseIn(await fetch(`${first.url}${session}/events/stream`))
    const acknowledged = new Set<string>()
    const writing = (async () => {
      for (let i = 0; ; i++) if ((await append(first, `w${i}`)).status === 201) acknowledged.add(`w${i}`)
    })().catch(() => {}) // ends with the server
    const asked = say(first, 'what time is it in UTC', 'm1').catch(() => undefined)
    const before: StoredEvent[] = []
    while (before.filter(({ event }) => event.id.startsWith('m1')).length < seen)
      before.push(...(await take(watched, 1)).map(stored))
    await until(() => acknowledged.size > 0, 'an append was acknowledged') // a stream may be quicker than an answer
    await first.stop('SIGKILL')
    await Promise.all([asked, writing])
    expect(acknowledged.size).toBeGreaterThan(0)

    const second = await startServer(place)
    const after = await eventsOf(second)
    const ids = after.map(({ event }) => event.id)
    expect(after.map(({ seq }) => seq)).toEqual(after.map((_, i) => i + 1))
    expect(new Set(ids).size).toBe(ids.length)
    expect([...acknowledged].filter((id) => !ids.includes(id))).toEqual([])
    expect(after).toEqual(expect.arrayContaining(before))
    expect(ids).not.toContain('m1:answer')

    const answer = await (await say(second, 'what time is it in UTC', 'm1')).json()
    const turn = (await eventsOf(second)).filter(({ event }) => event.id.startsWith('m1'))
    expect(turn.map(({ event }) => event.id)).toEqual(['m1', 'm1:call-1', 'm1:result-1', 'm1:answer'])
    expect(turn).toEqual(expect.arrayContaining(before.filter(({ event }) => event.id.startsWith('m1'))))
    expect(answer).toMatchObject({ events: turn, text: expect.stringMatching(/^It is \d\d:\d\d/) })
    expect(await (await say(second, 'what time is it in UTC', 'm1')).json()).toEqual(answer)
    expect(await (await append(second, 'w0')).json()).toMatchObject({ events: [{ duplicate: true }] })
  })
})

describe('a server that is told to stop', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'by %s ends at once, with an open stream, a running turn and a connection ahead',
    async (signal) => {
      const server = await startServer(await newPlace(), { ASSISTANT_STEP_DELAY: '60000' })
      await send(server, 'PUT', session)
      const watched = sseIn(await fetch(`${server.url}${session}/events/stream`))
      const asked = say(server, 'what is 1 + 1', 'm1')
      await take(watched, 1)
      const ahead = connect(Number(new URL(server.url).port), '127.0.0.1')
      await new Promise((resolve) => ahead.once('connect', resolve))
      const { code, milliseconds } = await server.stop(signal)
      ahead.destroy()
      expect(code).toBe(0)
      expect(milliseconds).toBeLessThan(900)
      expect((await asked).status).toBe(503)
      expect(await take(watched, 1)).toEqual([])
    },
  )

  test('tells a streamed turn that it is cut, so that nobody takes it for the whole answer', async () => {
    const server = await startServer(await newPlace(), { ASSISTANT_STEP_DELAY: '60000' })
    await send(server, 'PUT', session)
    const answer = await fetch(`${server.url}${session}/messages`, {
      method: 'POST',
      headers: { accept: 'text/event-stream', 'content-type': 'application/json' },
      body: JSON.stringify({ eventId: 'm1', text: 'what is 1 + 1' }),
    })
    const streamed = answer.text()
    await server.stop('SIGTERM')
    expect((await streamed).trimEnd().split('\n\n').at(-1)).toMatch(/^event: error\n.*"code":"closed"/)
  })
})

describe('two servers over one database', () => {
  test('see the events of each other in their streams', async () => {
    const place = await newPlace()
    const [one, other] = await Promise.all([startServer(place), startServer(place)])
    await send(one, 'PUT', session)
    const watched = sseIn(await fetch(`${other.url}${session}/events/stream`))
    await append(one, 'e1')
    expect((await take(watched, 1)).map(stored)).toMatchObject([{ seq: 1, event: { id: 'e1' } }])
    await say(one, 'what is 2 + 2', 'm1')
    expect((await take(watched, 4)).map((message) => stored(message).event.id)).toEqual([
      'm1',
      'm1:call-1',
      'm1:result-1',
      'm1:answer',
    ])
    await send(one, 'DELETE', session)
    expect(await take(watched, 1)).toMatchObject([{ event: 'end' }])
  })

  test('write at the same time, lose nothing, and make one turn of one message', async () => {
    const place = await newPlace()
    const servers = await Promise.all([startServer(place), startServer(place)])
    await Promise.all(servers.map((server) => send(server, 'PUT', session)))
    const writes = Array.from({ length: 20 }, (_, i) => servers.map((server, n) => append(server, `${n}-${i}`))).flat()
    const turns = servers.map(async (server) => (await say(server, 'what time is it', 'm1')).json())
    expect((await Promise.all(writes)).map(({ status }) => status)).toEqual(writes.map(() => 201))
    const [one, other] = await Promise.all(turns)
    expect(one).toEqual(other)
    const [server] = servers
    const events = server === undefined ? [] : await eventsOf(server)
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: 44 }, (_, i) => i + 1))
  })
})

describe('a server starts', () => {
  test('on loopback, ready, and says where', async () => {
    const server = await startServer(await newPlace())
    expect(server.output()).toMatch(
      /Daybook is at http:\/\/127\.0\.0\.1:\d+ \(API at http:\/\/127\.0\.0\.1:\d+\/docs\)/,
    )
    const ready = await fetch(`${server.url}/ready`)
    expect(await ready.json()).toMatchObject({ ready: true, database: { flavour } })
  })

  test('with a database of its own in ./data when nothing is said', async () => {
    const { folder } = await newPlace()
    await startServer({ folder, env: {} })
    expect(existsSync(join(folder, 'data/daybook.db'))).toBe(true)
  })

  test('wherever DATABASE_URL points, also to a path with strange signs', async () => {
    const place = await newPlace()
    for (const url of ['new folder/50% #1?.db', `file:${join(place.folder, 'b/100%25.db')}`]) {
      const server = await startServer(place, { DATABASE_URL: url })
      await server.stop('SIGTERM')
    }
    expect(existsSync(join(place.folder, 'new folder/50% #1?.db'))).toBe(true)
    expect(existsSync(join(place.folder, 'b/100%.db'))).toBe(true)
  })

  test('or says in a sentence why not', async () => {
    const place = await newPlace()
    const running = await startServer(place)
    const failures = [
      [{ PORT: 'abc' }, /PORT must be integer/],
      [{ LOG_LEVEL: 'loud' }, /LOG_LEVEL/],
      [{ DATABASE_URL: 'mongodb://ann:hunter2@host/db' }, /begins with mongodb: which this server does not know/],
      [{ PORT: new URL(running.url).port }, /EADDRINUSE/],
    ] as const
    for (const [env, reason] of failures) {
      const { code, output } = await failedServer(place, { ...env })
      expect(code).toBe(1)
      expect(output).toMatch(reason)
      expect(output).not.toMatch(/hunter2|\n\s+at /)
    }
  })
})
