import {
  BasePlugin,
  LlmAgent,
  LongRunningFunctionTool,
  RemoteA2AAgent,
  Runner,
  StreamingMode,
  toA2a,
  type AfterA2ARequestCallback,
  type Event,
  type Session,
} from '@google/adk'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { DaybookSessionService } from '../src/index.ts'
import { benchOn, databases } from './databases.ts'
import { call, say, ScriptedModel, type Reply } from './scripted-model.ts'

const textOf = ({ content }: Event) => content?.parts?.map(({ text }) => text ?? '').join('') ?? ''
const message = (text: string) => ({ role: 'user', parts: [{ text }] })

interface Extras {
  readonly plugins?: BasePlugin[]
  readonly onReply?: AfterA2ARequestCallback
}

/** Adds to the metadata of an event, in a copy. */
class Tracing extends BasePlugin {
  override async onEventCallback({ event }: { event: Event }) {
    return { ...event, customMetadata: { ...event.customMetadata, trace: 7 } }
  }
}

/** An agent behind a real server of ADK's, until the test ends. */
async function serve(agent: LlmAgent, sessionService: DaybookSessionService): Promise<string> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  const app = (await toA2a(agent, {
    host: '127.0.0.1',
    port,
    sessionService,
    allowUnauthenticated: true,
  })) as unknown as RequestListener // an application of Express is one
  server.on('request', app)
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${port}`
}

describe.each(databases)('an agent over A2A on $name', (database) => {
  const bench = benchOn(database)

  /** The caller’s process. */
  const caller = (appName: string, agentCard: string, service = bench.service, { plugins, onReply }: Extras = {}) => {
    const afterRequestCallbacks = onReply === undefined ? [] : [onReply]
    const agent = new RemoteA2AAgent({ name: 'remote', agentCard, afterRequestCallbacks })
    const runner = new Runner({ appName, agent, sessionService: service, ...(plugins !== undefined && { plugins }) })
    return async (newMessage: object, sessionId = 's') => {
      const events: Event[] = []
      const run = { streamingMode: StreamingMode.SSE }
      for await (const event of runner.runAsync({ userId: 'ann', sessionId, newMessage, runConfig: run }))
        events.push(event)
      return events
    }
  }

  const stored = async (key: { appName: string; userId: string; sessionId: string }): Promise<Session> => {
    const session = await bench.another().getSession(key)
    if (session === undefined) throw new Error('no session')
    return session
  }

  /** What the caller has, and what the agent has. */
  const both = async (appName: string, agentName: string) => {
    const here = await stored({ appName, userId: 'ann', sessionId: 's' })
    const contextId = String(here.events.at(-1)?.customMetadata?.['a2a:context_id'])
    const there = await stored({ appName: agentName, userId: `A2A_USER_${contextId}`, sessionId: contextId })
    return { here, there }
  }

  test('has a session of its own, which the next message finds, also from and in other processes [§2 A2A; §2 order of events; §2 complete events]', async () => {
    const [appName, name] = [bench.app(), bench.app()]
    const asked: string[] = []
    const agent = (script: readonly Reply[]) => {
      const model = new ScriptedModel((request, n) => {
        asked.push(JSON.stringify(request.contents))
        return script[n] ?? say('?')
      })
      return new LlmAgent({ name, model, outputKey: 'user:said' })
    }
    await bench.service.createSession({ appName, userId: 'ann', sessionId: 's' })
    const streamed = [
      { ...say('Hel'), partial: true },
      { ...say('Hello'), partial: false },
    ]
    const first = await caller(appName, await serve(agent([streamed]), bench.another()))(message('I am Ann'))
    expect(first.map(textOf)).toEqual(expect.arrayContaining(['Hel', 'Hello']))
    const { here, there } = await both(appName, name)
    expect(there.events.map(textOf)).toEqual(['I am Ann', 'Hello'])
    expect(there.state).toEqual({ 'user:said': 'Hello' })
    expect(here.events.map(({ author }) => author)).toEqual(expect.arrayContaining(['user', 'remote']))
    expect(here.events).toEqual([
      expect.objectContaining({ content: message('I am Ann') }),
      ...(JSON.parse(JSON.stringify(first.filter(({ partial }) => partial !== true))) as Event[]),
    ])

    const again = await serve(agent([say('You are Ann')]), bench.another())
    await caller(appName, again, bench.another())(message('Who am I?'))
    const later = await both(appName, name)
    expect(later.there.id).toBe(there.id)
    expect(later.there.events.map(textOf)).toEqual(['I am Ann', 'Hello', 'Who am I?', 'You are Ann'])
    expect(asked.at(-1)).toMatch(/I am Ann.*Hello.*Who am I\?/s)
  })

  test('asks back, and goes on with the answer that comes through the caller [§2 A2A; §2 resumption; §2 complete events]', async () => {
    const [appName, name] = [bench.app(), bench.app()]
    const ticket = new LongRunningFunctionTool({
      name: 'ticket',
      description: 'opens',
      execute: () => ({ status: 'pending' }),
    })
    const model = new ScriptedModel([call('ticket'), say('waiting'), say('it is closed')])
    const url = await serve(new LlmAgent({ name, model, tools: [ticket] }), bench.another())
    await bench.service.createSession({ appName, userId: 'ann', sessionId: 's' })
    const first = await caller(appName, url)(message('Open one'))
    expect(first.at(-1)).toMatchObject({
      turnComplete: true,
      content: { parts: [{ functionCall: { name: 'ticket' } }] },
    })
    const asking = (await both(appName, name)).here.events.find(({ longRunningToolIds: ids }) => ids?.[0] !== undefined)
    const id = asking?.longRunningToolIds?.[0] ?? ''
    expect(id).toMatch(/^adk-/)
    const functionResponse = { id, name: 'ticket', response: { status: 'closed' } }
    const next = await caller(appName, url, bench.another())({ role: 'user', parts: [{ functionResponse }] })
    expect(next.map(textOf)).toContain('it is closed')
    const { there } = await both(appName, name)
    expect(there.events.map((event) => event.content?.parts?.map((part) => Object.keys(part)[0]).join())).toEqual([
      'text',
      'functionCall',
      'functionResponse',
      'text',
      'functionResponse',
      'text',
    ])
  })

  test('sends metadata of its own, in which ADK makes a circle that no database can hold [§2 A2A; §5 values not serialisable]', async () => {
    const [appName, name] = [bench.app(), bench.app()]
    const model = new ScriptedModel([{ ...say('Hello'), customMetadata: { mood: 'good', deep_er: { a_b: 1 } } }])
    const url = await serve(new LlmAgent({ name, model }), bench.another())
    await bench.service.createSession({ appName, userId: 'ann', sessionId: 's' })
    const [given] = await caller(appName, url)(message('Hi'))
    const metadata = given?.customMetadata ?? {}
    expect(metadata).toMatchObject({ 'a2a:response': { metadata: { adk_custom_metadata: { mood: 'good' } } } })
    const { here, there } = await both(appName, name)
    expect(here.events.map(textOf)).toEqual(['Hi', 'Hello'])
    expect(here.events[1]?.customMetadata).toMatchObject({
      mood: 'good',
      deep_er: { a_b: 1 },
      'a2a:response': { kind: 'artifact-update', metadata: { adk_author: name } },
    })
    expect(there.events[1]?.customMetadata).toEqual({ mood: 'good', deep_er: { a_b: 1 } })
  })

  test.each<[string, Extras]>([
    ['a plugin', { plugins: [new Tracing('tracing')] }],
    // What comes in chunks is put together by ADK, in an event of its own.
    [
      'ADK itself',
      {
        onReply: (_context, reply) => {
          if (reply.kind === 'artifact-update') reply.append = true
        },
      },
    ],
  ])(
    'sends metadata of its own, and %s copies the circle that is made of them [§2 A2A; §2 complete events; §5 values not serialisable]',
    async (_who, extras) => {
      const [appName, name] = [bench.app(), bench.app()]
      const model = new ScriptedModel([{ ...say('Hello'), customMetadata: { mood: 'good' } }])
      const url = await serve(new LlmAgent({ name, model }), bench.another())
      await bench.service.createSession({ appName, userId: 'ann', sessionId: 's' })
      await caller(appName, url, bench.service, extras)(message('Hi'))
      const { here } = await both(appName, name)
      expect(here.events.map(textOf)).toEqual(['Hi', 'Hello'])
      const { 'a2a:response': reply, ...metadata } = here.events[1]?.customMetadata ?? {}
      expect(metadata).toMatchObject({ mood: 'good', ...(extras.plugins !== undefined && { trace: 7 }) })
      expect(reply).toMatchObject({ kind: 'artifact-update', metadata: { adk_author: name } })
      expect(JSON.stringify(reply)).not.toContain('mood')
    },
  )

  test('is asked by many for the first time at once [§2 A2A; §5 first use]', async () => {
    const [appName, name] = [bench.app(), bench.app()]
    const url = await serve(new LlmAgent({ name, model: new ScriptedModel(() => say('Hello')) }), bench.another())
    const callers = Array.from({ length: 8 }, (_, i) => `s${i}`)
    const given = await Promise.all(
      callers.map(async (sessionId) => {
        await bench.service.createSession({ appName, userId: 'ann', sessionId })
        return caller(appName, url)(message('Hi'), sessionId)
      }),
    )
    expect(given.map((events) => events.map(textOf))).toEqual(callers.map(() => ['Hello']))
    const { sessions } = await bench.service.listSessions({ appName: name })
    expect(new Set(sessions.map(({ userId }) => userId)).size).toBe(8)
  })
})
