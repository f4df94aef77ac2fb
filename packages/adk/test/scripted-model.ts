import { BaseLlm, type BaseLlmConnection, type LlmRequest, type LlmResponse } from '@google/adk'

export type Reply = LlmResponse | readonly LlmResponse[]

/** A model without a network: what it answers is said beforehand, or made from what it is asked. */
export class ScriptedModel extends BaseLlm {
  /** What it was asked, as JSON: ADK goes on changing the requests. */
  readonly asked: string[] = []
  readonly #reply: (request: LlmRequest, call: number) => Reply | Promise<Reply>

  constructor(script: readonly Reply[] | ((request: LlmRequest, call: number) => Reply | Promise<Reply>)) {
    super({ model: 'scripted' })
    this.#reply = typeof script === 'function' ? script : (_request, call) => script[call] ?? say(`no reply ${call}`)
  }

  override async *generateContentAsync(request: LlmRequest): AsyncGenerator<LlmResponse, void> {
    this.asked.push(JSON.stringify(request.contents))
    const reply = await this.#reply(request, this.asked.length - 1)
    for (const response of Array.isArray(reply) ? (reply as readonly LlmResponse[]) : [reply as LlmResponse])
      yield response // a list or one
  }

  override async connect(): Promise<BaseLlmConnection> {
    throw new Error('the scripted model has no live connection')
  }
}

export const say = (text: string): LlmResponse => ({ content: { role: 'model', parts: [{ text }] } })

/** Calls of tools, all in one turn. */
export const call = (
  ...calls: readonly (string | { readonly name: string; readonly args: Record<string, unknown> })[]
): LlmResponse => ({
  content: {
    role: 'model',
    parts: calls.map((one) => ({ functionCall: typeof one === 'string' ? { name: one, args: {} } : one })),
  },
})
