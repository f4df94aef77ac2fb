/** Why a model gave no answer. */
export type ModelFailure = keyof typeof failures

const failures = {
  /** It cannot be reached, or says that it is too busy or broken. */
  unavailable: { isRetryable: true },
  /** It does not take the request: the key, the name of the model, the tools. */
  refused: { isRetryable: false },
  /** What came is no answer, or half of one. */
  malformed: { isRetryable: true },
  /** It was silent for too long. */
  timeout: { isRetryable: true },
  /** It will not answer this. */
  blocked: { isRetryable: false },
} as const

/** What goes wrong between us and a model. The message is for the log: it may quote the model's server, but no key of ours. */
export class ModelError extends Error {
  override readonly name = 'ModelError'
  readonly failure: ModelFailure
  /** Of the model's server, when it answered. */
  readonly status: number | undefined

  constructor(failure: ModelFailure, message: string, status?: number) {
    super(message)
    this.failure = failure
    this.status = status
  }

  /** Whether the same message, sent again, may be answered. */
  get isRetryable(): boolean {
    return failures[this.failure].isRetryable
  }

  /** What was thrown at a call of a model, by our code or by a vendor's. */
  static of(error: unknown, secrets: readonly string[]): ModelError {
    if (error instanceof ModelError) return new ModelError(error.failure, shown(error.message, secrets), error.status)
    const { status, cause } = (error ?? {}) as { status?: unknown; cause?: unknown } // whatever was thrown, it is only read
    const message = shown(error instanceof Error ? error.message : String(error), secrets)
    if (typeof status === 'number') return new ModelError(failureOfStatus(status), message, status)
    // What fetch throws of a network; anything else was thrown by who reads the answer.
    if (!(error instanceof TypeError)) return new ModelError('malformed', message)
    return new ModelError(
      'unavailable',
      cause instanceof Error ? `${message}: ${shown(cause.message, secrets)}` : message,
    )
  }
}

/** What an HTTP status of a model's server means. */
export const failureOfStatus = (status: number): ModelFailure =>
  status === 408 || status === 429 || status >= 500 ? 'unavailable' : 'refused'

function shown(message: string, secrets: readonly string[]): string {
  const text = secrets.reduce((rest, secret) => (secret === '' ? rest : rest.replaceAll(secret, '[key]')), message)
  return text.length > 500 ? `${text.slice(0, 500)}…` : text
}
