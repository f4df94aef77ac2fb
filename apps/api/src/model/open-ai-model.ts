import { BaseLlm, type BaseLlmConnection, type LlmRequest, type LlmResponse } from '@google/adk'
import { Answer, chatRequest, type ChatReply } from './chat-completions.ts'
import { failureOfStatus, ModelError } from './model-error.ts'

export interface OpenAiOptions {
  readonly model: string
  /** Up to and without `/chat/completions`, as in `https://api.openai.com/v1` or `http://127.0.0.1:11434/v1`. */
  readonly baseUrl: string
  /** Local servers need none. */
  readonly apiKey?: string | undefined
}

/**
 * A model behind an OpenAI-compatible server: OpenAI, Ollama, llama.cpp, vLLM, LM Studio and others. ADK has no class for
 * them, only for Gemini.
 */
export class OpenAiModel extends BaseLlm {
  readonly #url: string
  readonly #headers: Readonly<Record<string, string>>

  constructor({ model, baseUrl, apiKey }: OpenAiOptions) {
    super({ model })
    this.#url = `${baseUrl.replace(/\/+$/, '')}/chat/completions`
    this.#headers = {
      'content-type': 'application/json',
      ...(apiKey !== undefined && { authorization: `Bearer ${apiKey}` }),
    }
  }

  /** With `stream` the parts of the answer come as they are known, marked `partial`; the last response is always the whole one. */
  override async *generateContentAsync(
    request: LlmRequest,
    stream = false,
    signal?: AbortSignal,
  ): AsyncGenerator<LlmResponse, void> {
    this.maybeAppendUserContent(request)
    const body = {
      ...chatRequest(request, request.model ?? this.model),
      ...(stream && { stream: true, stream_options: { include_usage: true } }),
    }
    const response = await fetch(this.#url, {
      method: 'POST',
      headers: this.#headers,
      body: JSON.stringify(body),
      ...(signal !== undefined && { signal }),
    })
    if (!response.ok) throw await refusalIn(response)
    const answer = new Answer()
    // A server may not know how to stream, and then answers whole.
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') === true
    for await (const reply of isStream ? repliesIn(response) : [read(await response.text())]) {
      if (reply.error !== undefined) throw new ModelError('unavailable', `the model's server failed: ${saidIn(reply)}`)
      const piece = answer.add(reply)
      if (isStream && piece !== undefined) yield piece
    }
    if (isStream && !answer.isFinished) throw new ModelError('malformed', 'the stream ended before the answer did')
    yield answer.whole()
  }

  override async connect(): Promise<BaseLlmConnection> {
    throw new ModelError('refused', 'this protocol has no live connections')
  }
}

/** The messages of a stream of server-sent events, until `[DONE]`. */
async function* repliesIn({ body }: Response): AsyncGenerator<ChatReply> {
  let rest = ''
  for await (const text of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    const lines = (rest + text).split(/\r?\n/)
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const data = line.startsWith('data:') ? line.slice('data:'.length).trim() : ''
      if (data === '[DONE]') return
      if (data !== '') yield read(data)
    }
  }
}

function read(text: string): ChatReply {
  try {
    const reply: unknown = JSON.parse(text)
    if (typeof reply === 'object' && reply !== null) return reply
  } catch {
    // said below, with the same words
  }
  throw new ModelError('malformed', 'the model answered what is not JSON')
}

async function refusalIn(response: Response): Promise<ModelError> {
  const text = await response.text().catch(() => '')
  return new ModelError(failureOfStatus(response.status), `HTTP ${response.status}: ${text}`, response.status)
}

const saidIn = ({ error }: ChatReply): string =>
  typeof error === 'string' ? error : (error?.message ?? 'without a reason')
