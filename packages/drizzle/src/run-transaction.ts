import { checkedOptions, StoreError, type Call, type CallOptions, type SessionKey } from '@daybook/core'
import type { Engine } from './create-store.ts'

/** What came of a transaction that the application was in. */
export interface Entered<T> {
  readonly answer: T
  readonly appendedTo: readonly SessionKey[]
}

/**
 * Runs a transaction that the store begins for the application. Until `body` was entered it is repeated like any unit of
 * the store's own; after that it is not, for what the application does in it is not ours to repeat. Its error comes back as
 * it was thrown.
 *
 * @param begin begins the transaction, and enters the body by the function that it is given
 */
export async function runTransaction<T>(
  { calls, attempt, signals }: Engine,
  options: CallOptions | undefined,
  begin: (call: Call, enter: <A>(body: () => A) => A) => Promise<Entered<T>>,
): Promise<T> {
  let thrown: { readonly error: unknown } | undefined
  let isEntered = false
  const note = (error: unknown): never => {
    thrown ??= { error }
    throw new StoreError('internal', 'the application ended the transaction with an error', {
      cause: error,
      retryable: false,
    })
  }
  const enter = <A>(body: () => A): A => {
    isEntered = true
    try {
      const answer = body()
      // An asynchronous body fails later; a synchronous one answers something else than a promise.
      return answer instanceof Promise ? (answer.catch(note) as A) : answer
    } catch (error) {
      return note(error)
    }
  }
  const mayRepeat = () => !isEntered
  try {
    const { answer, appendedTo } = await calls.run('transaction', options, (call) => {
      checkedOptions(options, [])
      return attempt(call, () => begin(call, enter), mayRepeat)
    })
    for (const key of appendedTo) signals.notify(key)
    return answer
  } catch (error) {
    throw thrown === undefined ? error : thrown.error
  }
}
