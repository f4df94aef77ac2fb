import type { LlmRequest, LlmResponse } from '@google/adk'
import { jsonSchemaOf, type JsonSchema } from './json-schema.ts'

type Content = LlmRequest['contents'][number]
type Part = NonNullable<Content['parts']>[number]
type FunctionCall = NonNullable<Part['functionCall']>
type FinishReason = NonNullable<LlmResponse['finishReason']>

/** A call of a tool, as the protocol writes it: the arguments are JSON in a string. */
interface ToolCall {
  readonly id: string
  readonly type: 'function'
  readonly function: { readonly name: string; readonly arguments: string }
}

type ChatMessage =
  | { readonly role: 'system' | 'user'; readonly content: string }
  | { readonly role: 'assistant'; readonly content: string | null; readonly tool_calls?: readonly ToolCall[] }
  | { readonly role: 'tool'; readonly tool_call_id: string; readonly content: string }

/** The body of `POST /chat/completions`. */
export interface ChatRequest {
  readonly model: string
  readonly messages: readonly ChatMessage[]
  readonly tools?: readonly object[]
  readonly temperature?: number
  readonly top_p?: number
  readonly max_tokens?: number
  readonly stop?: readonly string[]
}

/** What a server answers, whole or in pieces. Servers differ in what they leave out, so everything may be missing. */
export interface ChatReply {
  readonly choices?: readonly {
    readonly message?: ChatPiece
    readonly delta?: ChatPiece
    readonly finish_reason?: string | null
  }[]
  readonly usage?: ChatUsage | null
  readonly error?: { readonly message?: string } | string
}

interface ChatPiece {
  readonly content?: string | null
  readonly refusal?: string | null
  /** What a model thought, by the names that servers have for it. */
  readonly reasoning_content?: string | null
  readonly reasoning?: string | null
  readonly tool_calls?: readonly ToolCallPiece[] | null
}

interface ToolCallPiece {
  readonly index?: number
  readonly id?: string | null
  readonly function?: { readonly name?: string | null; readonly arguments?: string | null }
}

interface ChatUsage {
  readonly prompt_tokens?: number
  readonly completion_tokens?: number
  readonly total_tokens?: number
  readonly prompt_tokens_details?: { readonly cached_tokens?: number } | null
  readonly completion_tokens_details?: { readonly reasoning_tokens?: number } | null
}

/** A request of ADK's in the words of the protocol. */
export function chatRequest({ contents, config = {} }: LlmRequest, model: string): ChatRequest {
  const { temperature, topP, maxOutputTokens, stopSequences, systemInstruction } = config
  const tools = toolsIn(config.tools)
  const system = typeof systemInstruction === 'string' ? systemInstruction : ''
  return {
    model,
    messages: [...(system === '' ? [] : [{ role: 'system' as const, content: system }]), ...messagesOf(contents)],
    ...(tools.length > 0 && { tools }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(maxOutputTokens !== undefined && { max_tokens: maxOutputTokens }),
    ...(stopSequences !== undefined && { stop: stopSequences }),
  }
}

function toolsIn(tools: NonNullable<LlmRequest['config']>['tools']): object[] {
  const declarations = (tools ?? []).flatMap((tool) =>
    'functionDeclarations' in tool ? (tool.functionDeclarations ?? []) : [],
  )
  return declarations.map(({ name, description, parameters, parametersJsonSchema }) => {
    const schema: JsonSchema | undefined =
      parameters === undefined ? (parametersJsonSchema as JsonSchema | undefined) : jsonSchemaOf(parameters) // by its name
    return {
      type: 'function',
      function: { name, description, parameters: schema ?? { type: 'object', properties: {} } },
    }
  })
}

/** ADK takes away the ids of calls that it gave itself; here each call has one, and each result that of its call. */
function messagesOf(contents: readonly Content[]): ChatMessage[] {
  let open: { readonly id: string; readonly name: string | undefined }[] = []
  return contents.flatMap(({ role, parts = [] }, at): ChatMessage[] => {
    const text = textIn(parts)
    if (role === 'model') {
      const calls = parts.flatMap(({ functionCall }) => (functionCall === undefined ? [] : [functionCall]))
      const toolCalls = calls.map((call, i) => toolCall(call, `call_${at}_${i}`))
      open = toolCalls.map(({ id, function: { name } }) => ({ id, name }))
      if (toolCalls.length > 0)
        return [{ role: 'assistant', content: text === '' ? null : text, tool_calls: toolCalls }]
      return text === '' ? [] : [{ role: 'assistant', content: text }]
    }
    const results = parts.flatMap(({ functionResponse }): ChatMessage[] => {
      const { id, name, response = {} } = functionResponse ?? {}
      const call = open.find((candidate) => (id === undefined ? candidate.name === name : candidate.id === id))
      // The result of a call that is not in the history says nothing, and servers refuse it.
      if (functionResponse === undefined || call === undefined) return []
      open = open.filter((candidate) => candidate !== call)
      return [{ role: 'tool', tool_call_id: call.id, content: JSON.stringify(response) }]
    })
    return text === '' ? results : [...results, { role: 'user', content: text }]
  })
}

const textIn = (parts: readonly Part[]): string =>
  parts.flatMap(({ text, thought }) => (text === undefined || thought === true ? [] : [text])).join('')

const toolCall = ({ id, name = '', args = {} }: FunctionCall, ownId: string): ToolCall => ({
  id: id ?? ownId,
  type: 'function',
  function: { name, arguments: JSON.stringify(args) },
})

/** What a protocol's finish reason is called in ADK, whose names are those of Gemini. */
const finishReasons = {
  stop: 'STOP',
  tool_calls: 'STOP',
  function_call: 'STOP',
  length: 'MAX_TOKENS',
  content_filter: 'SAFETY',
} as unknown as Readonly<Record<string, FinishReason>> // the values of an enum that ADK does not export

/** What an answer without content is the error of. */
const errorCodes: Readonly<Record<string, string>> = { length: 'MAX_TOKENS', content_filter: 'SAFETY' }

/** Puts an answer together, out of one piece or of many. */
export class Answer {
  #text = ''
  #refusal = ''
  readonly #calls: { index: number; id: string; name: string; args: string }[] = []
  #finish: string | undefined
  #usage: ChatUsage | undefined

  /** Whether the server said that this is all. */
  get isFinished(): boolean {
    return this.#finish !== undefined
  }

  /** Takes what came, and says what of it is worth showing before the rest is known. */
  add({ choices = [], usage }: ChatReply): LlmResponse | undefined {
    const [choice] = choices
    const piece = choice?.delta ?? choice?.message ?? {}
    const thought = piece.reasoning_content ?? piece.reasoning ?? ''
    this.#text += piece.content ?? ''
    this.#refusal += piece.refusal ?? ''
    for (const [i, call] of (piece.tool_calls ?? []).entries())
      this.#addCall(call, choice?.delta === undefined ? i : undefined)
    this.#finish = choice?.finish_reason ?? this.#finish
    this.#usage = usage ?? this.#usage
    if (thought !== '') return partial({ text: thought, thought: true })
    return piece.content === undefined || piece.content === null || piece.content === ''
      ? undefined
      : partial({ text: piece.content })
  }

  /** The answer as ADK takes it. Without content it is an error, which ADK calls by the reason. */
  whole(): LlmResponse {
    const finishReason = finishReasons[this.#finish ?? '']
    const facts = {
      ...(finishReason !== undefined && { finishReason }),
      ...(this.#usage !== undefined && { usageMetadata: usageOf(this.#usage) }),
    }
    const calls = this.#calls.map(({ id, name, args }): Part | undefined => {
      const read = argumentsIn(args)
      return read && { functionCall: { ...(id !== '' && { id }), name, args: read } }
    })
    if (calls.includes(undefined))
      return {
        ...facts,
        errorCode: 'MALFORMED_FUNCTION_CALL',
        errorMessage: 'the arguments of a call are not a JSON object',
      }
    const text = this.#text === '' ? this.#refusal : this.#text
    const parts = [...(text === '' ? [] : [{ text }]), ...calls.flatMap((call) => call ?? [])]
    if (parts.length > 0) return { ...facts, content: { role: 'model', parts }, partial: false }
    return { ...facts, errorCode: errorCodes[this.#finish ?? ''] ?? 'NO_ANSWER' }
  }

  /** Pieces of one call have one index. Servers that give none send calls whole, or name each new one by an id. */
  #addCall({ index, id, function: piece = {} }: ToolCallPiece, position: number | undefined): void {
    const last = this.#calls.at(-1)
    const isNew = last === undefined || (id !== undefined && id !== null && id !== '' && id !== last.id)
    const at = index ?? position ?? (isNew ? (last?.index ?? -1) + 1 : last.index)
    let call = this.#calls.find((candidate) => candidate.index === at)
    if (call === undefined) {
      call = { index: at, id: '', name: '', args: '' }
      this.#calls.push(call)
    }
    if (call.id === '') call.id = id ?? ''
    if (call.name === '') call.name = piece.name ?? ''
    call.args += piece.arguments ?? ''
  }
}

const partial = (part: Part): LlmResponse => ({ content: { role: 'model', parts: [part] }, partial: true })

function argumentsIn(text: string): Record<string, unknown> | undefined {
  if (text.trim() === '') return {}
  try {
    const args: unknown = JSON.parse(text)
    return typeof args === 'object' && args !== null && !Array.isArray(args) ? { ...args } : undefined
  } catch {
    return undefined // said by the caller
  }
}

/** Gemini counts thoughts apart from the answer, this protocol counts them in. */
function usageOf(usage: ChatUsage): NonNullable<LlmResponse['usageMetadata']> {
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage
  const cached = usage.prompt_tokens_details?.cached_tokens
  const thoughts = usage.completion_tokens_details?.reasoning_tokens
  return {
    ...(prompt !== undefined && { promptTokenCount: prompt }),
    ...(completion !== undefined && { candidatesTokenCount: completion - (thoughts ?? 0) }),
    ...(thoughts !== undefined && { thoughtsTokenCount: thoughts }),
    ...(cached !== undefined && { cachedContentTokenCount: cached }),
    ...(total !== undefined && { totalTokenCount: total }),
  }
}
