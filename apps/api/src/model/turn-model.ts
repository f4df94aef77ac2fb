import { BaseLlm, FunctionTool, type BaseLlmConnection, type LlmRequest, type LlmResponse } from '@google/adk'
import { ModelError } from './model-error.ts'

export interface TurnModelOptions {
  readonly model: BaseLlm
  /** Milliseconds that the model may be silent. */
  readonly patience: number
  /** What no message may quote. */
  readonly secrets: readonly string[]
}

/**
 * A model for one turn. Whatever the model does, one call of it gives one whole answer, after the parts of it that came as
 * they were known: so a turn has one event for each call, and what is stored of it can stand for the call when the turn is
 * run again. And it keeps the error of a call, of which ADK makes an event.
 */
export class TurnModel extends BaseLlm {
  readonly #options: TurnModelOptions
  #error: ModelError | undefined

  constructor(options: TurnModelOptions) {
    super({ model: options.model.model })
    this.#options = options
  }

  /** What the call that failed last failed with. */
  get error(): ModelError | undefined {
    return this.#error
  }

  override async *generateContentAsync(
    request: LlmRequest,
    stream = false,
    signal?: AbortSignal,
  ): AsyncGenerator<LlmResponse, void> {
    const { model, patience, secrets } = this.#options
    const silence = new AbortController()
    const timer = setTimeout(() => silence.abort(), patience)
    const ended = signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal])
    const answers: LlmResponse[] = []
    try {
      for await (const response of model.generateContentAsync(request, stream, ended)) {
        timer.refresh()
        if (response.partial === true) yield response
        else answers.push(response)
      }
      if (ended.aborted) throw new Error('the call was cut')
    } catch (error) {
      this.#error = silence.signal.aborted
        ? new ModelError('timeout', `the model was silent for ${patience} ms`)
        : ModelError.of(error, secrets)
      throw this.#error
    } finally {
      clearTimeout(timer)
    }
    const answer = whole(answers)
    knowTools(request, answer)
    yield answer
  }

  override connect(request: LlmRequest): Promise<BaseLlmConnection> {
    return this.#options.model.connect(request)
  }
}

/** Gemini's stream gives text, calls and the count of tokens as responses of their own. */
function whole(answers: readonly LlmResponse[]): LlmResponse {
  const parts = answers.flatMap(({ content }) => content?.parts ?? [])
  const { errorCode, errorMessage, ...facts }: LlmResponse = Object.assign({}, ...answers.map(withoutUndefined))
  // An answer that was cut short is an answer, and its reason is beside it.
  if (parts.length > 0) return { ...facts, content: { role: 'model', parts }, partial: false }
  return { ...facts, errorCode: errorCode ?? 'NO_ANSWER', ...(errorMessage !== undefined && { errorMessage }) }
}

const withoutUndefined = (response: LlmResponse): LlmResponse =>
  Object.fromEntries(Object.entries(response).filter(([, value]) => value !== undefined))

/** Models call tools that there are not. ADK ends the turn then; here the model is told, and can do something else. */
export function knowTools({ toolsDict }: LlmRequest, { content }: LlmResponse): void {
  for (const { functionCall } of content?.parts ?? []) {
    const name = functionCall?.name ?? ''
    if (name === '' || Object.hasOwn(toolsDict, name)) continue
    const value = new FunctionTool({
      name,
      description: '',
      execute: () => ({ error: `There is no tool called ${name}` }),
    })
    Object.defineProperty(toolsDict, name, { value, enumerable: true, configurable: true })
  }
}
