import { Gemini } from '@google/adk'

export interface GeminiOptions {
  readonly model: string
  readonly apiKey: string
  /** Another server that speaks Gemini's protocol. */
  readonly baseUrl?: string | undefined
}

/** ADK's Gemini, which can be told where its server is. */
export class GeminiModel extends Gemini {
  readonly #baseUrl: string | undefined

  constructor({ model, apiKey, baseUrl }: GeminiOptions) {
    super({ model, apiKey, vertexai: false })
    this.#baseUrl = baseUrl
  }

  protected override getHttpOptions(): ReturnType<Gemini['getHttpOptions']> {
    return { ...super.getHttpOptions(), ...(this.#baseUrl !== undefined && { baseUrl: this.#baseUrl }) }
  }
}
