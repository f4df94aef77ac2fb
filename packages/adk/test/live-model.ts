import { BaseLlm, type BaseLlmConnection, type LlmRequest, type LlmResponse } from '@google/adk'

type Content = Parameters<BaseLlmConnection['sendContent']>[0]
type Blob = Parameters<BaseLlmConnection['sendRealtime']>[0]

/** Words or the answer of a tool; a piece of sound; or nothing any more. */
type Heard = Content | Blob | undefined

/** What a live model does on one connection: it hears when it wants to, and says what it will. */
export type Talk = (hear: () => Promise<Heard>) => AsyncGenerator<LlmResponse, void, void>

interface Connected {
  /** By which the model knows what was said on an earlier connection. */
  readonly handle: string | undefined
  /** What it was told was said before, as JSON. */
  history: string | undefined
}

/** A live model without a network, which talks as it was told to on each of its connections. */
export class LiveModel extends BaseLlm {
  readonly connections: Connected[] = []
  readonly #talks: readonly Talk[]

  constructor(...talks: readonly Talk[]) {
    super({ model: 'live' })
    this.#talks = talks
  }

  // oxlint-disable-next-line require-yield -- it talks on connections only
  override async *generateContentAsync(): AsyncGenerator<LlmResponse, void> {
    throw new Error('the live model was asked for one answer')
  }

  override async connect({ liveConnectConfig }: LlmRequest): Promise<BaseLlmConnection> {
    const talk = this.#talks[this.connections.length]
    if (talk === undefined) throw new Error('the live model was connected to once more')
    const connected: Connected = { handle: liveConnectConfig.sessionResumption?.handle, history: undefined }
    this.connections.push(connected)
    return connection(connected, talk)
  }
}

function connection(connected: Connected, talk: Talk): BaseLlmConnection {
  const heard: Heard[] = []
  let listener: ((one: Heard) => void) | undefined
  let isOpen = true
  const take = async (one: Heard) => {
    if (listener === undefined) heard.push(one)
    else listener(one)
    listener = undefined
  }
  const hear = async () =>
    heard.length > 0 || !isOpen
      ? heard.shift()
      : new Promise<Heard>((resolve) => {
          listener = resolve
        })
  return {
    sendContent: take,
    sendRealtime: take,
    async sendHistory(history) {
      connected.history = JSON.stringify(history)
    },
    receive: () => talk(hear),
    async close() {
      isOpen = false
      listener?.(undefined)
    },
  }
}
