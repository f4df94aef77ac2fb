import { isStoreError } from '@daybook/core'
import {
  AgentControlledContextCompactor,
  AgentTool,
  BasePlugin,
  ConsolidateContextTool,
  createEvent,
  ExitLoopTool,
  FunctionTool,
  getPendingUserInputRequests,
  InMemoryArtifactService,
  isCompactedEvent,
  JoinNode,
  LlmAgent,
  LongRunningFunctionTool,
  LoopAgent,
  node,
  ParallelAgent,
  RequestInput,
  Runner,
  SequentialAgent,
  TokenBasedContextCompactor,
  TruncatingContextCompactor,
  Workflow,
  type BaseSessionService,
  type CompactedEvent,
  type Event,
  type NodeContext,
  type RunnerConfig,
  type Session,
} from '@google/adk'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { benchOn, databases } from './databases.ts'
import { call, say, ScriptedModel } from './scripted-model.ts'

const textOf = ({ content }: Event) => content?.parts?.map(({ text }) => text ?? '').join('') ?? ''
const asStored = (event: Event): unknown => JSON.parse(JSON.stringify(event))
const message = (text: string) => ({ role: 'user', parts: [{ text }] })

/** Runs one message, and answers the events that the runner gave. */
async function run(
  runner: Runner,
  { userId, id: sessionId }: Session,
  newMessage: ReturnType<typeof message> | object,
): Promise<Event[]> {
  const events: Event[] = []
  for await (const event of runner.runAsync({ userId, sessionId, newMessage })) events.push(event)
  return events
}

async function loaded(service: BaseSessionService, { id: sessionId, appName, userId }: Session): Promise<Session> {
  const session = await service.getSession({ appName, userId, sessionId })
  if (session === undefined) throw new Error('no session')
  return session
}

const worksFor = (name: string) =>
  new FunctionTool({
    name: 'work',
    description: 'works',
    execute: async (_, context) => {
      context?.state.set(`app:${name}`, name)
      await setTimeout(2)
      return name
    },
  })

const rootWithExpert = (script: readonly ReturnType<typeof say>[]) => {
  const expert = new LlmAgent({ name: 'expert', description: 'knows', model: new ScriptedModel(script) })
  return {
    agent: new LlmAgent({
      name: 'root',
      model: new ScriptedModel([call({ name: 'transfer_to_agent', args: { agentName: 'expert' } })]),
      subAgents: [expert],
    }),
  }
}

const slowly = async (ctx: NodeContext) => {
  const n = (ctx.state.get<number>('n') ?? 0) + 1
  ctx.state.set('n', n)
  await setTimeout(10)
  return n
}

const child = (i: number) => async (ctx: NodeContext) => {
  ctx.state.set(`child${i}`, i)
  await setTimeout(5 * (i % 3))
  return i
}

const desk = (script: readonly ReturnType<typeof say>[]) => {
  const ticket = new LongRunningFunctionTool({
    name: 'ticket',
    description: 'opens',
    execute: () => ({ status: 'pending' }),
  })
  return {
    agent: new LlmAgent({ name: 'desk', model: new ScriptedModel(script), tools: [ticket] }),
    resumabilityConfig: { isResumable: true },
  }
}

const greeter = () => new LlmAgent({ name: 'agent', model: new ScriptedModel(() => say('hi')) })

const turn = async (runner: Runner, session: Session, words: readonly string[]) => {
  for (const word of words) {
    await run(runner, session, message(word))
    await nextMillisecond() // a summary ends before the next event by the clock
  }
}

/** A timer of a millisecond or two may end in the same one by the clock: its loop's time is older than now. */
const nextMillisecond = async () => {
  for (const began = Date.now(); Date.now() <= began;) await setTimeout(1)
}

function* askForApproval() {
  yield new RequestInput({ interruptId: 'ok1', message: 'Approve?' })
}

function approve(ctx: NodeContext, input: unknown) {
  ctx.state.set('approved', input)
  return input
}

describe.each(databases)('on $name', (database) => {
  const bench = benchOn(database)

  const start = async (config: Omit<RunnerConfig, 'sessionService' | 'appName'>, state = {}) => {
    const appName = bench.app()
    const runner = new Runner({ ...config, appName, sessionService: bench.service })
    return { runner, session: await bench.service.createSession({ appName, userId: 'ann', state }) }
  }
  /** The same app in another process. */
  const restarted = ({ appName }: Session, config: Omit<RunnerConfig, 'sessionService' | 'appName'>) => {
    const service = bench.another()
    return { runner: new Runner({ ...config, appName, sessionService: service }), service }
  }

  const leased = async (skip: (reason: string) => never, session: Session, owner: string, service = bench.service) => {
    const { appName, userId, id: sessionId } = session
    try {
      return await service.leaseSession({ appName, userId, sessionId, ttl: 20_000, owner })
    } catch (error) {
      if (isStoreError(error) && error.code === 'unsupported') skip('this store has no leases')
      throw error
    }
  }

  test('an agent with tools: what the tools share and what they keep [§2 temp: outlives appends; §2 complete events; §2 order of events; §1 temp:]', async () => {
    const noted = new FunctionTool({
      name: 'note',
      description: 'notes',
      execute: (_, context) => {
        context?.state.set('user:city', 'Oslo')
        context?.state.set('temp:scratch', 'draft')
        return { noted: true }
      },
    })
    const used = new FunctionTool({
      name: 'use',
      description: 'uses',
      execute: (_, context) => ({ scratch: context?.state.get('temp:scratch'), city: context?.state.get('user:city') }),
    })
    const model = new ScriptedModel([call('note'), call('use'), say('done'), say('again')])
    const { runner, session } = await start({ agent: new LlmAgent({ name: 'agent', model, tools: [noted, used] }) })
    const events = await run(runner, session, message('I live in Oslo'))
    const response = events
      .flatMap(({ content }) => content?.parts ?? [])
      .find((part) => part.functionResponse?.name === 'use')
    expect(response?.functionResponse?.response).toEqual({ scratch: 'draft', city: 'Oslo' })
    const stored = await loaded(bench.another(), session)
    expect(stored.events.slice(1)).toEqual(events.map(asStored))
    expect(stored.events.map(({ author }) => author)).toEqual(['user', 'agent', 'agent', 'agent', 'agent', 'agent'])
    expect(stored.state).toEqual({ 'user:city': 'Oslo' })
    await run(runner, session, message('and now?'))
    expect(model.asked.at(-1)).toMatch(/I live in Oslo.*done.*and now\?/s)
  })

  test('the message of a user with state and metadata of the call, and the events that a plugin changed [§2 runAsync; §5 missing invocationId]', async () => {
    class Stamping extends BasePlugin {
      override async onEventCallback({ event }: { event: Event }) {
        return { ...event, customMetadata: { stamped: true } }
      }
    }
    const agent = new LlmAgent({ name: 'agent', model: new ScriptedModel([say('hi')]), outputKey: 'reply' })
    const { runner, session } = await start({
      agent,
      plugins: [new Stamping('stamping')],
      artifactService: new InMemoryArtifactService(),
    })
    const { userId, id: sessionId } = session
    const stateDelta = { 'user:lang': 'no', 'temp:once': 1, turn: 1 }
    for await (const _ of runner.runAsync({
      userId,
      sessionId,
      newMessage: message('x'),
      stateDelta,
      customMetadata: { a_b: 1 },
    }));
    const stored = await loaded(bench.service, session)
    expect(stored.events.map(({ customMetadata }) => customMetadata)).toEqual([{ a_b: 1 }, { stamped: true }])
    expect(stored.state).toEqual({ 'user:lang': 'no', turn: 1, reply: 'hi' })
  })

  test('partial events of a stream are given, and not stored [§1 append partial; §2 runAsync]', async () => {
    const model = new ScriptedModel([
      [
        { ...say('he'), partial: true },
        { ...say('hello'), partial: false, turnComplete: true },
      ],
    ])
    const { runner, session } = await start({ agent: new LlmAgent({ name: 'agent', model }) })
    const events = await run(runner, session, message('x'))
    expect(events.map(textOf)).toEqual(['he', 'hello'])
    expect((await loaded(bench.service, session)).events.map(textOf)).toEqual(['x', 'hello'])
  })

  test('agents in parallel lose no event and no key [§2 concurrent appendEvent; §6.3]', async () => {
    const names = Array.from({ length: 6 }, (_, i) => `worker_${i}`)
    const subAgents = names.map(
      (name) =>
        new LlmAgent({
          name,
          model: new ScriptedModel([call('work'), say(name)]),
          tools: [worksFor(name)],
          outputKey: name,
        }),
    )
    const { runner, session } = await start({ agent: new ParallelAgent({ name: 'all', subAgents }) })
    const events = await run(runner, session, message('go'))
    const stored = await loaded(bench.another(), session)
    expect(stored.events.slice(1).map(({ id }) => id)).toEqual(events.map(({ id }) => id))
    expect(stored.events).toHaveLength(1 + 3 * names.length)
    expect(Object.keys(stored.state).toSorted()).toEqual([...names, ...names.map((name) => `app:${name}`)].toSorted())
    expect(new Set(stored.events.slice(1).map(({ branch }) => branch))).toEqual(
      new Set(names.map((name) => `all.${name}`)),
    )
  })

  test('a loop counts in state, and ends by a tool [§2 state in place]', async () => {
    const count = new FunctionTool({
      name: 'count',
      description: 'counts',
      execute: (_, context) => {
        const n = (context?.state.get<number>('n') ?? 0) + 1
        context?.state.set('n', n)
        return { n }
      },
    })
    const model = new ScriptedModel([call('count'), say('1'), call('count'), say('2'), call('count', 'exit_loop')])
    const counter = new LlmAgent({ name: 'counter', model, tools: [count, new ExitLoopTool()] })
    const { runner, session } = await start({
      agent: new LoopAgent({ name: 'loop', subAgents: [counter], maxIterations: 9 }),
    })
    await run(runner, session, message('count'))
    expect((await loaded(bench.service, session)).state).toEqual({ n: 3 })
  })

  test('a sequence hands over by state, and by what was said [§2 state in place; §2 order of events]', async () => {
    const second = new ScriptedModel([say('shorter')])
    let instruction = ''
    const agents = [
      new LlmAgent({ name: 'writer', model: new ScriptedModel([say('a long draft')]), outputKey: 'draft' }),
      new LlmAgent({
        name: 'editor',
        model: second,
        instruction: ({ state }) => (instruction = `Shorten: ${state.get<string>('draft')}`),
        outputKey: 'final',
      }),
    ]
    const { runner, session } = await start({ agent: new SequentialAgent({ name: 'line', subAgents: agents }) })
    await run(runner, session, message('write'))
    expect(instruction).toBe('Shorten: a long draft')
    expect((await loaded(bench.service, session)).state).toEqual({ draft: 'a long draft', final: 'shorter' })
  })

  test('the next turn goes to the agent that spoke last, also in another process [§2 order of events]', async () => {
    const { runner, session } = await start(rootWithExpert([say('first')]))
    const first = await run(runner, session, message('help'))
    expect(first.at(-1)?.author).toBe('expert')
    const next = restarted(session, rootWithExpert([say('second')]))
    expect((await run(next.runner, session, message('more'))).map(({ author }) => author)).toEqual(['expert'])
  })

  test('an agent as a tool, called twice in one turn, has the parent’s session id and its state [§2 getOrCreateSession at once]', async () => {
    const name = bench.app()
    const answer = new LlmAgent({
      name,
      description: 'answers',
      model: new ScriptedModel(() => say('42')),
      outputKey: 'answer',
    })
    const request = (text: string) => ({ name, args: { request: text } })
    const model = new ScriptedModel([call(request('one'), request('two')), say('both')])
    const agent = new LlmAgent({ name: 'root', model, tools: [new AgentTool({ agent: answer })] })
    const { runner, session } = await start({ agent }, { topic: 'x', 'app:shared': 1 })
    const events = await run(runner, session, message('ask'))
    expect(textOf(events.at(-1) ?? createEvent())).toBe('both')
    const inner = await bench.service.getSession({ appName: name, userId: 'ann', sessionId: session.id })
    expect(inner?.state).toEqual({ topic: 'x', 'app:shared': 1, answer: '42' })
    expect(inner?.events).toHaveLength(4)
    expect((await loaded(bench.service, session)).state).toMatchObject({ answer: '42' })
  })

  test('runEphemeral leaves no session behind [§2 runEphemeral]', async () => {
    const { runner, session } = await start({
      agent: new LlmAgent({ name: 'agent', model: new ScriptedModel([say('gone')]) }),
    })
    const texts: string[] = []
    for await (const event of runner.runEphemeral({ userId: 'bob', newMessage: message('x') }))
      texts.push(textOf(event))
    expect(texts).toEqual(['gone'])
    expect(await bench.service.listSessions({ appName: session.appName, userId: 'bob' })).toMatchObject({
      totalItems: 0,
    })
  })

  describe('a workflow', () => {
    test('counts over slow nodes to 1, 2, 3, 4 [§2 state in place; §6.7; §5 late commit]', async () => {
      const steps = ['a', 'b', 'c', 'd'].map((name) => ({ [name]: (ctx: NodeContext) => slowly(ctx) })[name] ?? slowly)
      const workflow = new Workflow({ name: 'counting', edges: [['START', ...steps]] })
      const { runner, session } = await start({ agent: workflow })
      const events = await run(runner, session, message('go'))
      expect(events.map(({ output }) => output).filter((output) => output !== undefined)).toEqual([1, 2, 3, 4])
      const stored = await loaded(bench.another(), session)
      expect(stored.state).toEqual({ n: 4 })
      expect(stored.events.slice(1)).toEqual(events.map(asStored))
    })

    test('of nodes that run at once: a parent sees what its children wrote, and nothing is lost [§2 state in place; §2 concurrent appendEvent]', async () => {
      const seen: unknown[] = []
      const workflow = new Workflow({
        name: 'tree',
        dynamicEntry: async (ctx) => {
          await Promise.all(Array.from({ length: 8 }, (_, i) => ctx.runNode(node(child(i), { name: `n${i}` }))))
          seen.push(...Array.from({ length: 8 }, (_, i) => ctx.state.get(`child${i}`)))
          return 'all'
        },
      })
      const { runner, session } = await start({ agent: workflow })
      await run(runner, session, message('go'))
      expect(seen).toEqual([0, 1, 2, 3, 4, 5, 6, 7])
      expect(Object.keys((await loaded(bench.another(), session)).state)).toHaveLength(8)
    })

    test('of agents as nodes appends while the runner appends [§2 concurrent appendEvent; §2 complete events]', async () => {
      const agents = ['one', 'two', 'three'].map(
        (name) => new LlmAgent({ name, model: new ScriptedModel([say(`from ${name}`)]), outputKey: name }),
      )
      const workflow = new Workflow({ name: 'panel', edges: [['START', agents, new JoinNode({ name: 'together' })]] })
      const { runner, session } = await start({ agent: workflow })
      await run(runner, session, message('go'))
      const stored = await loaded(bench.another(), session)
      expect(stored.state).toMatchObject({ one: 'from one', two: 'from two', three: 'from three' })
      expect(new Set(stored.events.map(({ id }) => id)).size).toBe(stored.events.length)
    })

    test('waits for a human, and goes on in another process where it stopped [§2 complete events; §2 resumption]', async () => {
      let began = 0
      function prepare() {
        began++
        return 'prepared'
      }
      const build = () => ({
        agent: new Workflow({
          name: 'approval',
          edges: [['START', prepare, askForApproval, approve]],
        }),
        resumabilityConfig: { isResumable: true },
      })
      const { runner, session } = await start(build())
      await run(runner, session, message('begin'))
      const waiting = await loaded(bench.service, session)
      const [request] = getPendingUserInputRequests(waiting.events)
      expect(request).toMatchObject({ kind: 'input', message: 'Approve?' })
      const next = restarted(session, build())
      const answer = {
        id: request?.interruptId ?? '',
        name: request?.functionCallName ?? '',
        response: { result: 'yes' },
      }
      await run(next.runner, session, { role: 'user', parts: [{ functionResponse: answer }] })
      expect(began).toBe(1)
      const stored = await loaded(bench.service, session)
      expect(JSON.stringify(stored.state['approved'])).toContain('yes')
      expect(getPendingUserInputRequests(stored.events)).toEqual([])
    })
  })

  test('a long-running tool is answered later, in another process [§2 resumption; §2 complete events]', async () => {
    const { runner, session } = await start(desk([call('ticket'), say('waiting')]))
    await run(runner, session, message('open one'))
    const stored = await loaded(bench.another(), session)
    const asking = stored.events.find(({ longRunningToolIds }) => (longRunningToolIds?.length ?? 0) > 0)
    const id = asking?.longRunningToolIds?.[0]
    expect(id).toMatch(/^adk-/)
    expect(asking?.content?.parts?.[0]?.functionCall?.id).toBe(id)
    const next = restarted(session, desk([say('it is closed')]))
    const functionResponse = { id: id ?? '', name: 'ticket', response: { status: 'closed' } }
    const events = await run(next.runner, session, { role: 'user', parts: [{ functionResponse }] })
    expect(events.map((event) => [event.author, textOf(event)])).toEqual([['desk', 'it is closed']])
  })

  describe('a lease', () => {
    test('lets one of two runners answer, and the other when it is released', async ({ skip }) => {
      const { runner, session } = await start({ agent: greeter() })
      const other = restarted(session, { agent: greeter() })
      const lease = await leased(skip, session, 'one')
      await expect(leased(skip, session, 'two', other.service)).rejects.toMatchObject({
        code: 'conflict',
        facts: { owner: 'one' },
      })
      await expect(run(other.runner, session, message('from two'))).rejects.toMatchObject({ facts: { owner: 'one' } })
      expect((await run(runner, session, message('from one'))).map(textOf)).toEqual(['hi'])
      await lease.release()
      expect((await run(other.runner, session, message('from two'))).map(textOf)).toEqual(['hi'])
      await run(runner, session, message('from one again'))
      const stored = await loaded(bench.service, session)
      expect(stored.events.map(textOf)).toEqual(['from one', 'hi', 'from two', 'hi', 'from one again', 'hi'])
    })

    test('that was lost is not appended under, until it is released', async ({ skip }) => {
      const { runner, session } = await start({ agent: greeter() })
      const lease = await leased(skip, session, 'one')
      const { appName, userId, id: sessionId } = session
      await bench.another().deleteSession({ appName, userId, sessionId })
      await bench.another().createSession({ appName, userId, sessionId })
      await expect(run(runner, session, message('late'))).rejects.toMatchObject({
        code: 'conflict',
        facts: { field: 'lease' },
      })
      await lease.release()
      expect((await run(runner, session, message('again'))).map(textOf)).toEqual(['hi'])
    })
  })

  describe('compaction', () => {
    const summarizer = {
      summarize: async (events: Event[]): Promise<CompactedEvent> =>
        Object.assign(createEvent({ author: 'system', content: message('summary') }), {
          isCompacted: true as const,
          startTime: events[0]?.timestamp ?? 0,
          endTime: events.at(-1)?.timestamp ?? 0,
          compactedContent: `summary of ${events.length}`,
        }),
    }
    test('by tokens: the summary is stored once, old events stay, and the model reads the summary [§2 events array; §1 compaction]', async () => {
      const model = new ScriptedModel(() => ({ ...say('ok'), usageMetadata: { promptTokenCount: 1000 } }))
      const contextCompactors = [
        new TokenBasedContextCompactor({ tokenThreshold: 10, eventRetentionSize: 2, summarizer }),
      ]
      const { runner, session } = await start({ agent: new LlmAgent({ name: 'agent', model, contextCompactors }) })
      await turn(runner, session, ['first', 'second', 'third', 'fourth'])
      const stored = await loaded(bench.another(), session)
      expect(stored.events.map(textOf)).toEqual(expect.arrayContaining(['first', 'second', 'third', 'fourth']))
      expect(new Set(stored.events.map(({ id }) => id)).size).toBe(stored.events.length)
      expect(stored.events.filter((event) => isCompactedEvent(event)).length).toBeGreaterThan(0)
      expect(model.asked.at(-1)).toContain('summary of')
      expect(model.asked.at(-1)).not.toContain('"first"')
    })

    test('asked for by the agent itself happens [§2 temp: outlives appends]', async () => {
      const script = [say('1'), say('2'), call('consolidate_context'), say('after'), say('later')]
      const model = new ScriptedModel(script)
      const agent = new LlmAgent({
        name: 'agent',
        model,
        tools: [new ConsolidateContextTool()],
        contextCompactors: [new AgentControlledContextCompactor({ summarizer })],
        // ADK cuts all that is not later than the question by the millisecond, and gives what the model answers the time at
        // which it was asked: in the millisecond of the question the call would be cut, and its response left alone.
        beforeAgentCallback: async () => {
          await nextMillisecond()
          return undefined
        },
      })
      const { runner, session } = await start({ agent })
      await turn(runner, session, ['one', 'two', 'three'])
      const stored = await loaded(bench.another(), session)
      expect(stored.events.filter((event) => isCompactedEvent(event))).toHaveLength(1)
      expect(JSON.stringify(stored)).not.toContain('temp:')
      await turn(runner, session, ['four'])
      expect(model.asked.at(-1)).toContain('summary of')
    })

    test('that cuts the live events deletes no stored ones [§2 events array]', async () => {
      const model = new ScriptedModel(() => say('ok'))
      const contextCompactors = [new TruncatingContextCompactor({ threshold: 2 })]
      const { runner, session } = await start({ agent: new LlmAgent({ name: 'agent', model, contextCompactors }) })
      await turn(runner, session, ['first', 'second', 'third'])
      expect((await loaded(bench.another(), session)).events.map(textOf)).toEqual([
        'first',
        'ok',
        'second',
        'ok',
        'third',
        'ok',
      ])
      expect(model.asked.at(-1)).not.toContain('first')
    })
  })
})
