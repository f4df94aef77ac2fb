import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

export type Protocol = 'openai' | 'gemini'

/** What the model does when it is asked: an answer, or what goes wrong. */
export interface Step {
  readonly text?: string
  readonly calls?: readonly { readonly name: string; readonly args: Record<string, unknown> }[]
  /** Refuses with this status, and quotes the key that it was sent. */
  readonly status?: number
  /** Sends this as the whole body, and ends. */
  readonly raw?: string
  /** Answers nothing until this resolves. */
  readonly after?: Promise<unknown>
  /** Resolves the wait of others: the model has been asked. */
  readonly asked?: () => void
}

/** What it was asked, in words that both protocols have. */
interface Asked {
  readonly body: string
  readonly key: string
  readonly isStream: boolean
}

export interface ModelServer {
  /** What makes an app talk to it. */
  readonly env: Readonly<Record<string, string>>
  readonly asked: Asked[]
  /** What it does next, one step for each request. Without a step it fails. */
  readonly steps: Step[]
}

export const secretKey = 'sk-very-secret-key-1234567890'

/** A server on loopback that speaks the protocol of a model's vendor, and does what a test says. */
export async function startModel(protocol: Protocol, ...steps: Step[]): Promise<ModelServer> {
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy()) // the client went away
  })
  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const { url = '', headers } = request
    const isStream = protocol === 'openai' ? body.includes('"stream":true') : url.includes(':streamGenerateContent')
    const key = protocol === 'openai' ? (headers.authorization ?? '') : String(headers['x-goog-api-key'])
    asked.push({ body, key, isStream })
    const step = steps.shift() ?? { status: 500 }
    step.asked?.()
    await step.after
    if (step.status !== undefined) {
      response.writeHead(step.status, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ error: { code: step.status, message: `no, not with ${key}` } }))
      return
    }
    response.writeHead(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' })
    if (step.raw !== undefined) return void response.end(step.raw)
    const pieces = isStream ? streamed[protocol](step) : [whole[protocol](step)]
    // Written apart, and cut in the middle of a line, as a network does it.
    for (const sent of pieces) {
      const text = isStream
        ? `data: ${typeof sent === 'string' ? sent : JSON.stringify(sent)}\n\n`
        : JSON.stringify(sent)
      const middle = isStream && protocol === 'openai' ? Math.floor(text.length / 2) : 0
      response.write(text.slice(0, middle))
      await new Promise(setImmediate)
      response.write(text.slice(middle))
    }
    response.end()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // it listens on TCP
  const env =
    protocol === 'openai'
      ? { MODEL: 'test-model', OPENAI_BASE_URL: `${url}/v1`, OPENAI_API_KEY: secretKey }
      : { MODEL: 'gemini-test', GOOGLE_GEMINI_BASE_URL: url, GEMINI_API_KEY: secretKey }
  return { env, asked, steps }
}

const openAiUsage = { prompt_tokens: 12, completion_tokens: 7, total_tokens: 19 }
const geminiUsage = { promptTokenCount: 12, candidatesTokenCount: 7, totalTokenCount: 19 }

let calls = 0
const openAiCalls = ({ calls: wanted = [] }: Step) =>
  wanted.map(({ name, args }, index) => ({
    index,
    id: `call_${++calls}`,
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  }))
const geminiParts = ({ text, calls: wanted = [] }: Step) => [
  ...(text === undefined ? [] : [{ text }]),
  ...wanted.map((functionCall) => ({ functionCall })),
]
const finishOf = ({ calls: wanted = [] }: Step) => (wanted.length > 0 ? 'tool_calls' : 'stop')

const whole: Record<Protocol, (step: Step) => object> = {
  openai: (step) => ({
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: step.text ?? null,
          ...(step.calls !== undefined && { tool_calls: openAiCalls(step) }),
        },
        finish_reason: finishOf(step),
      },
    ],
    usage: openAiUsage,
  }),
  gemini: (step) => ({
    candidates: [{ content: { role: 'model', parts: geminiParts(step) }, finishReason: 'STOP' }],
    usageMetadata: geminiUsage,
  }),
}

const wordsOf = (text = ''): string[] => text.match(/\S+\s*/g) ?? []

const delta = (piece: object) => ({ choices: [{ index: 0, delta: piece, finish_reason: null }] })
const piece = (part: object) => ({ candidates: [{ content: { role: 'model', parts: [part] } }] })

const streamed: Record<Protocol, (step: Step) => (object | string)[]> = {
  openai: (step) => {
    return [
      delta({ role: 'assistant', content: '' }),
      ...wordsOf(step.text).map((content) => delta({ content })),
      ...openAiCalls(step).flatMap(({ function: { name, arguments: args }, ...call }) => [
        delta({ tool_calls: [{ ...call, function: { name, arguments: '' } }] }),
        delta({ tool_calls: [{ index: call.index, function: { arguments: args.slice(0, 5) } }] }),
        delta({ tool_calls: [{ index: call.index, function: { arguments: args.slice(5) } }] }),
      ]),
      { choices: [{ index: 0, delta: {}, finish_reason: finishOf(step) }] },
      { choices: [], usage: openAiUsage },
      '[DONE]',
    ]
  },
  gemini: (step) => {
    return [
      ...wordsOf(step.text).map((text) => piece({ text })),
      ...(step.calls ?? []).map((functionCall) => piece({ functionCall })),
      {
        candidates: [{ content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'STOP' }],
        usageMetadata: geminiUsage,
      },
    ]
  },
}
