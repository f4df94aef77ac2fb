import type { SessionKey, Store, StoredEvent } from '@daybook/core'
import type { Assistant, TurnSignal, UserMessage } from './assistant.ts'

/** A turn that runs, whoever watches it or goes away. */
interface Turn {
  /** Everything from its beginning, and then what comes; throws what the turn fails with. */
  watch(): AsyncGenerator<TurnSignal>
  /** Its stored events. */
  finished(): Promise<readonly StoredEvent[]>
}

export interface Turns {
  /** Starts a turn, or joins the same one when it runs already. */
  join(key: SessionKey, message: UserMessage): Turn
  /** Cuts the turns that run, between two of their steps. */
  close(): Promise<void>
}

export function createTurns(store: Store, assistant: Assistant): Turns {
  const running = new Map<string, RunningTurn>()
  const closing = new AbortController()

  return {
    join(key, message) {
      const name = JSON.stringify([key.appName, key.userId, key.sessionId, message.id, message.text])
      const known = running.get(name)
      if (known !== undefined) return known
      const turn = new RunningTurn((isWatched) =>
        assistant.runTurn({ store, key, message, signal: closing.signal, isWatched }),
      )
      running.set(name, turn)
      void turn.done.then(() => running.delete(name))
      return turn
    },
    async close() {
      closing.abort()
      await Promise.all(Array.from(running.values(), ({ done }) => done))
    },
  }
}

class RunningTurn implements Turn {
  /** Resolves when the turn is over, failed or not. */
  readonly done: Promise<void>
  readonly #signals: TurnSignal[] = []
  readonly #waiting = new Set<() => void>()
  #outcome: { readonly error?: unknown } | undefined
  #isWatched = false

  constructor(run: (isWatched: () => boolean) => AsyncIterable<TurnSignal>) {
    this.done = this.#follow(run(() => this.#isWatched))
  }

  async *watch(): AsyncGenerator<TurnSignal> {
    this.#isWatched = true
    for (let i = 0; ; i++) {
      while (i >= this.#signals.length && this.#outcome === undefined) await this.#change()
      const signal = this.#signals[i]
      if (signal === undefined) break
      yield signal
    }
    this.#throwIfFailed()
  }

  async finished(): Promise<readonly StoredEvent[]> {
    await this.done
    this.#throwIfFailed()
    return this.#signals.flatMap((signal) => (signal.kind === 'event' ? [signal.stored] : []))
  }

  async #follow(signals: AsyncIterable<TurnSignal>): Promise<void> {
    try {
      for await (const signal of signals) {
        this.#signals.push(signal)
        this.#wake()
      }
      this.#outcome = {}
    } catch (error) {
      this.#outcome = { error }
    }
    this.#wake()
  }

  #throwIfFailed(): void {
    if (this.#outcome !== undefined && 'error' in this.#outcome) throw this.#outcome.error
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve))
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve()
    this.#waiting.clear()
  }
}
