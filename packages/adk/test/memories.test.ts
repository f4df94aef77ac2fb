import { createInMemoryStore } from '@daybook/core'
import {
  createEvent,
  FunctionTool,
  InMemoryMemoryService,
  LlmAgent,
  LOAD_MEMORY,
  PRELOAD_MEMORY,
  Runner,
  type BaseMemoryService,
  type LlmRequest,
  type SearchMemoryResponse,
  type Session,
} from '@google/adk'
import { describe, expect, test } from 'vitest'
import { DaybookMemoryService, DaybookSessionService, daybookServices } from '../src/index.ts'
import { benchOn, databases } from './databases.ts'
import { call, say, ScriptedModel } from './scripted-model.ts'

const textsOf = ({ memories }: SearchMemoryResponse) =>
  memories.map(({ content }) => content.parts?.map(({ text }) => text).join(' '))

const spoken = (text: string, more: Parameters<typeof createEvent>[0] = {}) =>
  createEvent({ author: 'user', content: { role: 'user', parts: [{ text }] }, ...more })

const at = (second: number, text: string) => ({
  content: { parts: [{ text }] },
  timestamp: new Date(second * 1000).toISOString(),
})

describe.each(databases)('on $name', (database) => {
  const bench = benchOn(database)

  async function begun(sessionId = 's1', key = { appName: bench.app(), userId: 'ann' }) {
    const session = await bench.service.createSession({ ...key, sessionId })
    const tell = (text: string, more?: Parameters<typeof createEvent>[0]) =>
      bench.service.appendEvent({ session, event: spoken(text, more) })
    const memory = new DaybookMemoryService(bench.service)
    const elsewhere = new DaybookMemoryService(bench.another())
    const finds = async (query: string, userId = key.userId) =>
      textsOf(await elsewhere.searchMemory({ ...key, userId, query }))
    return { key, session, tell, memory, elsewhere, finds }
  }

  test('events with at least one part are remembered, as they were said [§3 kept]', async () => {
    const { key, session, tell, memory, elsewhere } = await begun()
    const timestamp = Date.UTC(2025, 0, 2, 3, 4, 5, 678)
    await tell('I live in Oslo', { timestamp })
    await bench.service.appendEvent({ session, event: createEvent({ author: 'agent' }) })
    const empty = { role: 'model', parts: [] }
    await bench.service.appendEvent({ session, event: createEvent({ author: 'agent', content: empty }) })
    const parts = [{ functionCall: { name: 'lookup', args: { city: 'Oslo' } } }]
    await bench.service.appendEvent({
      session,
      event: createEvent({ author: 'agent', content: { role: 'model', parts }, timestamp: timestamp + 1 }),
    })
    await memory.addSessionToMemory(session)
    expect(await elsewhere.searchMemory({ ...key, query: 'oslo' })).toEqual({
      memories: [
        { content: { role: 'model', parts }, author: 'agent', timestamp: '2025-01-02T03:04:05.679Z' },
        {
          content: { role: 'user', parts: [{ text: 'I live in Oslo' }] },
          author: 'user',
          timestamp: '2025-01-02T03:04:05.678Z',
        },
      ],
    })
  })

  test('a session that is added again replaces what was remembered of it, also by two at once [§3 added again]', async () => {
    const { session, tell, memory, elsewhere, finds } = await begun()
    await tell('alpha one', { id: 'e1' })
    await memory.addSessionToMemory(session)
    await tell('alpha two', { id: 'e2' })
    await tell('beta', { id: 'e1' })
    const partial = { ...session, events: [] }
    await Promise.all([memory.addSessionToMemory(partial), elsewhere.addSessionToMemory(session)])
    expect(await finds('alpha')).toEqual(['alpha two'])
    expect(await finds('beta')).toEqual(['beta'])
  })

  test('a search is of one app and user, across sessions, whatever they are called [§3 scope]', async () => {
    const { key, session, tell, memory, finds } = await begun('__proto__')
    await tell('first alpha')
    await memory.addSessionToMemory(session)
    const next = await begun('constructor', key)
    await next.tell('second alpha')
    await next.memory.addSessionToMemory(next.session)
    const bob = await begun('__proto__', { ...key, userId: 'bob' })
    await bob.tell('of bob alpha')
    await bob.memory.addSessionToMemory(bob.session)
    expect((await finds('alpha')).map(String).toSorted()).toEqual(['first alpha', 'second alpha'])
    expect(await finds('alpha', 'bob')).toEqual(['of bob alpha'])
    expect(await finds('alpha', 'nobody')).toEqual([])
    await bench.service.deleteSession({ ...key, sessionId: '__proto__' })
    expect(await finds('first')).toEqual(['first alpha'])
  })

  test('any word matches, of any script, and digits; punctuation is none of it [§3 match; §3 punctuation]', async () => {
    const { key, memory, finds } = await begun()
    const texts = [
      'Hello',
      'run 5k',
      'Ещё чай',
      '明日は東京で会う',
      'أحب القهوة',
      'मुझे चाय पसंद है',
      '🍕 pizza',
      'useFooBar()',
    ]
    await memory.addMemory({ ...key, memories: texts.map((text) => ({ content: { parts: [{ text }] } })) })
    for (const [query, found] of [
      ['hello!', 'Hello'],
      ['"HELLO"?', 'Hello'],
      ['5K', 'run 5k'],
      ['чай', 'Ещё чай'],
      ['東京', '明日は東京で会う'],
      ['القهوة', 'أحب القهوة'],
      ['चाय', 'मुझे चाय पसंद है'],
      ['🍕', '🍕 pizza'],
      ['foobar OR nothing', undefined],
      ['bar', 'useFooBar()'],
    ] as const)
      expect([query, await finds(query)]).toEqual([query, found === undefined ? [] : [found]])
  })

  test('the best come first, then the newest, and only so many [§3 order]', async () => {
    const { key, memory } = await begun()
    await memory.addMemory({
      ...key,
      memories: [
        at(1, 'tea'),
        at(2, 'green tea'),
        at(3, 'tea again'),
        ...Array.from({ length: 30 }, () => at(0, 'tea')),
      ],
    })
    const few = new DaybookMemoryService(bench.service, { limit: 3 })
    expect(textsOf(await few.searchMemory({ ...key, query: 'green tea' }))).toEqual(['green tea', 'tea again', 'tea'])
    expect((await memory.searchMemory({ ...key, query: 'green tea' })).memories).toHaveLength(20)
  })

  test('events and entries of one’s own are remembered, and once [§3 others]', async () => {
    const { key, memory, finds } = await begun()
    const events = [spoken('alpha', { id: 'e1' }), createEvent({ author: 'agent', id: 'e2' })]
    for (let i = 0; i < 2; i += 1) await memory.addEventsToMemory({ ...key, events, sessionId: 's9' })
    expect(await finds('alpha')).toEqual(['alpha'])
    const entry = {
      id: 'mine',
      content: { parts: [{ text: 'beta' }] },
      author: 'ann',
      timestamp: '2025-01-02T03:04:05Z',
    }
    const outcomes = async () =>
      (await memory.addMemory({ ...key, memories: [entry], customMetadata: { from: 'test' } })).map(
        (one) => one.outcome,
      )
    expect([await outcomes(), await outcomes()]).toEqual([['added'], ['duplicate']])
    expect(await memory.searchMemory({ ...key, query: 'beta' })).toEqual({
      memories: [{ content: entry.content, author: 'ann', timestamp: '2025-01-02T03:04:05.000Z' }],
    })
    const wrong = { ...key, memories: [{ ...entry, timestamp: 'yesterday' }] }
    await expect(memory.addMemory(wrong)).rejects.toMatchObject({
      code: 'invalid_argument',
      facts: { field: 'memories[0].timestamp' },
    })
    for (const userId of ['', undefined as unknown as string]) {
      // What the types forbid, too: it would be everybody's.
      const nobody = { ...key, userId }
      const calls = [
        memory.searchMemory({ ...nobody, query: 'beta' }),
        memory.addMemory({ ...nobody, memories: [entry] }),
        memory.addEventsToMemory({ ...nobody, events }),
      ]
      for (const refused of calls) await expect(refused).rejects.toMatchObject({ code: 'invalid_argument' })
    }
  })

  test('a session of another service is remembered by the events that it has [§3 kept]', async () => {
    const { key, memory, finds } = await begun()
    const foreign: Session = {
      ...key,
      id: 'elsewhere',
      events: [spoken('gamma', { id: 'g1' })],
      state: {},
      lastUpdateTime: 0,
    }
    await memory.addSessionToMemory(foreign)
    await memory.addSessionToMemory(foreign)
    expect(await finds('gamma')).toEqual(['gamma'])
  })

  test('more than a call of the store takes goes to it in several [§3 others]', async () => {
    const { key, memory, finds } = await begun()
    const image = { inlineData: { mimeType: 'image/png', data: 'A'.repeat(1024 * 1024) } }
    const contents = Array.from({ length: 20 }, (_, i) => ({ role: 'user', parts: [{ text: `word${i}` }, image] }))
    const events = contents.map((content, i) => createEvent({ id: `e${i}`, author: 'user', content }))
    await memory.addSessionToMemory({ ...key, id: 'elsewhere', events, state: {}, lastUpdateTime: 0 })
    const added = await memory.addMemory({ ...key, memories: contents.map((content, i) => ({ id: `m${i}`, content })) })
    expect(added.map(({ id, outcome }) => [id, outcome])).toEqual(contents.map((_, i) => [`m${i}`, 'added']))
    for (const i of [0, 11, 12, 19]) expect(await finds(`word${i}`)).toHaveLength(2)
    const small = Array.from({ length: 1001 }, (_, i) => ({ content: { parts: [{ text: `small${i}` }] } }))
    expect(await memory.addMemory({ ...key, memories: small })).toHaveLength(1001)
  }, 60_000)

  test('agents load memories by a tool, before each turn, and in code [§3 tools; §3 one statement]', async () => {
    const { key, session, tell, memory } = await begun()
    await tell('My sister Åse lives in Bergen', { timestamp: Date.UTC(2025, 0, 1) })
    await memory.addSessionToMemory(session)
    const inCode = new FunctionTool({
      name: 'recall',
      description: 'Recalls.',
      execute: async (_args, context) => ({ found: (await context?.searchMemory('åse'))?.memories.length }),
    })
    const systems: string[] = []
    const script = [
      call({ name: 'load_memory', args: { query: 'Where does my sister live?' } }),
      call('recall'),
      say('In Bergen'),
    ]
    const model = new ScriptedModel((request: LlmRequest, turn) => {
      systems.push(JSON.stringify(request.config?.systemInstruction))
      return script[turn] ?? say('done')
    })
    const agent = new LlmAgent({ name: 'agent', model, tools: [LOAD_MEMORY, PRELOAD_MEMORY, inCode] })
    const sessionService = bench.service
    const runner = new Runner({ appName: key.appName, agent, sessionService, memoryService: memory })
    await sessionService.createSession({ ...key, sessionId: 's2' })
    const newMessage = { role: 'user', parts: [{ text: 'Tell me of Bergen!' }] }
    const answers = []
    for await (const event of runner.runAsync({ userId: key.userId, sessionId: 's2', newMessage })) answers.push(event)
    expect(systems[0]).toContain(
      String.raw`<PAST_CONVERSATIONS>\nTime: 2025-01-01T00:00:00.000Z\nuser: My sister Åse lives in Bergen`,
    )
    const responses = answers
      .flatMap(({ content }) => content?.parts ?? [])
      .flatMap((part) => part.functionResponse ?? [])
    expect(responses.map(({ name, response }) => [name, response])).toEqual([
      [
        'load_memory',
        {
          memories: [
            { content: 'My sister Åse lives in Bergen', author: 'user', timestamp: '2025-01-01T00:00:00.000Z' },
          ],
        },
      ],
      ['recall', { found: 1 }],
    ])
  })
})

test('it answers as ADK’s own service does, where that is right [§3 match]', async () => {
  await using services = daybookServices(createInMemoryStore())
  const session = await services.sessionService.createSession({ appName: 'app', userId: 'ann', sessionId: 's1' })
  for (const [i, text] of ['Hello World', 'goodbye', 'World peace'].entries())
    await services.sessionService.appendEvent({ session, event: spoken(text, { timestamp: 1_700_000_000_000 - i }) })
  const script = async (service: BaseMemoryService) => {
    await service.addSessionToMemory(session)
    await service.addSessionToMemory(session)
    const answers = []
    for (const query of ['world', 'HELLO goodbye', 'nothing', ''])
      answers.push(
        textsOf(await service.searchMemory({ appName: 'app', userId: 'ann', query }))
          .map(String)
          .toSorted(),
      )
    return answers
  }
  expect(await script(services.memoryService)).toEqual(await script(new InMemoryMemoryService()))
})

test('the three services share one store, which the first one closes', async () => {
  let closed = 0
  const services = daybookServices(async () => {
    const store = createInMemoryStore()
    return Object.assign(store, { close: async () => void (closed += 1) })
  })
  expect(services.sessionService).toBeInstanceOf(DaybookSessionService)
  const session = await services.sessionService.createSession({ appName: 'app', userId: 'ann' })
  await services.memoryService.addSessionToMemory(session)
  await services.artifactService.saveArtifact({
    appName: 'app',
    userId: 'ann',
    sessionId: session.id,
    filename: 'a',
    artifact: { text: 'x' },
  })
  await services.memoryService.close()
  expect(closed).toBe(0)
  await services[Symbol.asyncDispose]()
  expect(closed).toBe(1)
})
