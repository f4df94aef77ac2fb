import {
  BasePlugin,
  createEvent,
  FunctionTool,
  LiveRequestQueue,
  LlmAgent,
  Runner,
  type Event,
  type InvocationContext,
  type LlmResponse,
  type Session,
} from '@google/adk'
import { describe, expect, test } from 'vitest'
import type { DaybookSessionService } from '../src/index.ts'
import { benchOn, databases } from './databases.ts'
import { LiveModel, type Talk } from './live-model.ts'
import { call, say } from './scripted-model.ts'

const sound = { data: 'AAEC', mimeType: 'audio/pcm' }
const spoken: LlmResponse = { content: { role: 'model', parts: [{ inlineData: sound }] } }
const typed = (text: string) => ({ role: 'user', parts: [{ text }] })
const handle = (newHandle: string): LlmResponse => ({ liveSessionResumptionUpdate: { newHandle, resumable: true } })

/** An event in a word or two. */
function named(event: Event): string {
  const { author, content, liveSessionResumptionUpdate: update, inputTranscription, outputTranscription } = event
  const of = (content?.parts ?? []).map(({ text, inlineData, fileData, functionCall, functionResponse }) => {
    if (functionCall) return `call ${functionCall.name}`
    if (functionResponse) return `response ${functionResponse.name}`
    return text ?? fileData?.fileUri ?? inlineData?.mimeType
  })
  const what = [
    ...of,
    update && `handle ${update.newHandle}`,
    inputTranscription && `heard ${inputTranscription.text}`,
    outputTranscription && `spoke ${outputTranscription.text}`,
    event.interrupted === true && 'interrupted',
    event.turnComplete === true && 'end of turn',
  ]
  return `${event.partial === true ? '… ' : ''}${author}: ${what.filter(Boolean).join(' ')}`
}

const asStored = (event: Event): unknown => JSON.parse(JSON.stringify(event))

const given = async (events: AsyncIterable<Event>, each: (event: Event) => unknown = () => {}) => {
  const all: Event[] = []
  for await (const event of events) {
    all.push(event)
    await each(event)
  }
  return all
}

/** Keeps the session object of a run, which nobody else is shown. */
class Watching extends BasePlugin {
  session: Session | undefined
  constructor() {
    super('watching')
  }
  override async beforeRunCallback({ invocationContext }: { invocationContext: InvocationContext }) {
    this.session = invocationContext.session
    return undefined
  }
}

describe.each(databases)('a live run on $name', (database) => {
  const bench = benchOn(database)
  const key = () => ({ appName: bench.app(), userId: 'ann', sessionId: 'live' })
  type Key = ReturnType<typeof key>

  const lookUp = new FunctionTool({
    name: 'look_up',
    description: 'looks up',
    execute: (_, context) => {
      context?.state.set('user:asked', true)
      context?.state.set('temp:scratch', 1)
      return { sunday: 'from ten' }
    },
  })

  /** A process that talks live. */
  const processOf = ({ appName, ...who }: Key, model: LiveModel, service: DaybookSessionService) => {
    const watching = new Watching()
    const agent = new LlmAgent({ name: 'desk', model, tools: [lookUp] })
    const runner = new Runner({ appName, agent, sessionService: service, plugins: [watching] })
    const liveRequestQueue = new LiveRequestQueue()
    const talk = (more: { liveSessionResumptionHandle?: string; abortSignal?: AbortSignal } = {}) =>
      runner.runLive({ ...who, liveRequestQueue, ...more })
    return { queue: liveRequestQueue, talk, watching }
  }

  const stored = async (of: Key) => {
    const session = await bench.another().getSession(of)
    if (session === undefined) throw new Error('no session')
    return session
  }

  test('keeps transcriptions, words and tools in their order, and neither sound nor what is partial [§2 runLive; §1 append partial; §1 getOrCreateSession; §2 order of events]', async () => {
    const of = key()
    const answers: unknown[] = []
    const model = new LiveModel(async function* (hear) {
      yield handle('h1')
      answers.push(await hear())
      yield { outputTranscription: { text: 'We are' }, partial: true }
      yield spoken
      yield { outputTranscription: { text: 'We are open', finished: true } }
      yield { turnComplete: true }
      answers.push(await hear())
      yield { inputTranscription: { text: 'And on' }, partial: true }
      yield { inputTranscription: { text: 'And on Sunday?', finished: true } }
      yield call('look_up')
      answers.push(await hear())
      yield { ...say('From'), partial: true }
      yield { content: { role: 'model', parts: [{ fileData: { fileUri: 'gs://b/plan.png', mimeType: 'image/png' } }] } }
      yield { ...say('From ten'), usageMetadata: { totalTokenCount: 7 } }
      yield { interrupted: true }
      yield { turnComplete: true }
    })
    const { queue, talk, watching } = processOf(of, model, bench.service)
    queue.sendContent(typed('Hello'))
    queue.sendRealtime(sound)
    const events = await given(talk())
    expect(events.map(named)).toEqual([
      'desk: handle h1',
      '… desk: spoke We are',
      'desk: audio/pcm',
      'desk: spoke We are open',
      'desk: end of turn',
      '… user: heard And on',
      'user: heard And on Sunday?',
      'desk: call look_up',
      'desk: response look_up',
      '… desk: From',
      'desk: gs://b/plan.png',
      'desk: From ten',
      'desk: interrupted',
      'desk: end of turn',
    ])
    const kept = events.filter(({ partial, content }) => partial !== true && !content?.parts?.[0]?.inlineData)
    const { events: found, state } = await stored(of)
    expect(found).toEqual(kept.map(asStored))
    expect(state).toEqual({ 'user:asked': true })
    expect(watching.session?.events).toEqual(kept)
    expect(watching.session?.state).toEqual({ 'user:asked': true, 'temp:scratch': 1 })
    expect(answers).toMatchObject([typed('Hello'), sound, { parts: [{ functionResponse: { name: 'look_up' } }] }])
  })

  test('goes on where the connection broke, and in another process by the handle among its events [§2 runLive; §2 resumption]', async () => {
    const of = key()
    const model = new LiveModel(
      async function* () {
        yield handle('h1')
        yield say('one')
        yield { goAway: { timeLeft: '1s' } }
      },
      async function* () {
        yield handle('h2')
        yield call('look_up')
        yield say('two')
        throw Object.assign(new Error('gone'), { code: 1006 })
      },
      async function* () {
        yield say('three')
      },
    )
    await given(processOf(of, model, bench.service).talk())
    expect(model.connections).toEqual([
      { handle: undefined, history: undefined },
      { handle: 'h1', history: undefined },
      { handle: 'h2', history: undefined },
    ])
    const all = ['handle h1', 'one', 'handle h2', 'call look_up', 'response look_up', 'two', 'three']
    const { events } = await stored(of)
    expect(events.map(named)).toEqual(all.map((what) => `desk: ${what}`))

    const last = events.findLast(({ liveSessionResumptionUpdate: update }) => update?.newHandle !== undefined)
    const liveSessionResumptionHandle = last?.liveSessionResumptionUpdate?.newHandle ?? ''
    const next = async (more: object) => {
      const again = new LiveModel(async function* () {
        yield say('again')
      })
      await given(processOf(of, again, bench.another()).talk(more))
      return again.connections
    }
    expect(await next({ liveSessionResumptionHandle })).toEqual([{ handle: 'h2', history: undefined }])
    const [anew] = await next({})
    expect(anew).toMatchObject({ handle: undefined })
    expect(anew?.history).toMatch(/one.*look_up.*from ten.*two.*three.*again/s)
    expect((await stored(of)).events).toHaveLength(all.length + 2)
  })

  test('takes in what others append meanwhile, where it belongs [§2 runLive; §1.1 stale copy]', async () => {
    const of = key()
    const model = new LiveModel(async function* (hear) {
      yield say('Yes?')
      await hear()
      yield say('At ten')
    })
    const { queue, talk, watching } = processOf(of, model, bench.service)
    const elsewhere = bench.another()
    await given(talk(), async (event) => {
      if (named(event) !== 'desk: Yes?') return
      // Runner stores nothing of what is typed to it: who wants it kept appends it.
      const content = typed('When?')
      const session = await elsewhere.getOrCreateSession(of)
      const more = { author: 'user', content, actions: { stateDelta: { asked: 1 } } }
      await elsewhere.appendEvent({ session, event: createEvent(more) })
      queue.sendContent(content)
    })
    const found = await stored(of)
    expect(found.events.map(named)).toEqual(['desk: Yes?', 'user: When?', 'desk: At ten'])
    expect(found.state).toEqual({ asked: 1 })
    expect(watching.session?.events.map(named)).toEqual(found.events.map(named))
    expect(watching.session?.state).toEqual({ asked: 1 })
  })

  test.each([
    ['fails', undefined],
    ['is given up', new AbortController()],
  ] as const)('that %s keeps what it gave, and the next one begins with it [§2 runLive]', async (_, gaveUp) => {
    const of = key()
    const breaking: Talk = async function* () {
      yield say('first')
      if (gaveUp === undefined) throw new Error('the model is ill')
      gaveUp.abort()
      yield say('too late')
    }
    const abort = gaveUp && { abortSignal: gaveUp.signal }
    const run = given(processOf(of, new LiveModel(breaking), bench.service).talk(abort))
    const [ended] = await Promise.allSettled([run])
    expect(ended.status).toBe(gaveUp === undefined ? 'rejected' : 'fulfilled')
    const model = new LiveModel(async function* () {
      yield say('second')
    })
    await given(processOf(of, model, bench.another()).talk())
    expect(model.connections[0]?.history).toContain('first')
    expect((await stored(of)).events.map(named)).toEqual(['desk: first', 'desk: second'])
  })
})
