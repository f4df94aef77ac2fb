import type { Call, Calls, SessionKey, StoredEvent, TailOptions } from '@daybook/core'
import { checkedCount, checkedOptions, checkedSessionKey, isStoreError, type Limits } from '@daybook/core'
import { sleep } from './errors.ts'

/** What a look at a session finds: which session it is, and its events after a `seq`. */
export interface Look {
  readonly sid: string
  readonly events: readonly StoredEvent[]
}

interface Parts {
  readonly calls: Calls
  readonly limits: Limits
  readonly look: (key: SessionKey, afterSeq: number, call: Call) => Promise<Look | undefined>
  /** Resolves when this process appended to the session, or the signal fires. */
  readonly appended: (key: SessionKey, signal: AbortSignal) => Promise<void>
}

const shortestWait = 25

/**
 * New events by looking for them: at once when this process wrote them, otherwise after a wait that doubles, while nothing
 * comes, up to `pollInterval`. `seq` has no gaps and is given in commit order, so that nothing after the last one seen can
 * be missed.
 */
export function tail(
  { calls, limits, look, appended }: Parts,
  key: unknown,
  options: TailOptions | undefined,
): AsyncIterable<StoredEvent> {
  const checked = () => {
    const { afterSeq = 0, pollInterval = 1_000 } = checkedOptions(options, ['afterSeq', 'pollInterval'])
    return {
      session: checkedSessionKey(key, limits),
      from: checkedCount(afterSeq, 'afterSeq'),
      longestWait: checkedCount(pollInterval, 'pollInterval', { min: 1 }),
    }
  }
  return {
    async *[Symbol.asyncIterator]() {
      const { session, from, longestWait } = await calls.run('events.tail', timeoutOf(options), checked)
      let [seq, wait, sid] = [from, shortestWait, '']
      while (!hasEnded(calls, options?.signal)) {
        const found = await lookOnce(calls, options, (call) => look(session, seq, call))
        if (found === undefined || (sid !== '' && sid !== found.sid)) return
        sid = found.sid
        for (const event of found.events) {
          yield event
          if (hasEnded(calls, options?.signal)) return
          seq = event.seq
        }
        if (found.events.length > 0) wait = shortestWait
        else {
          await waitForMore(calls, options?.signal, wait, (signal) => appended(session, signal))
          wait = Math.min(wait * 2, longestWait)
        }
      }
    },
  }
}

const timeoutOf = (options: TailOptions | undefined) =>
  options?.timeout === undefined ? {} : { timeout: options.timeout }

const hasEnded = (calls: Calls, signal: AbortSignal | undefined) => calls.closing.aborted || signal?.aborted === true

/** An abort and the closing of the store end a tail quietly, also in the middle of a look. */
async function lookOnce(
  calls: Calls,
  options: TailOptions | undefined,
  look: (call: Call) => Promise<Look | undefined>,
): Promise<Look | undefined> {
  const callOptions = { ...timeoutOf(options), ...(options?.signal !== undefined && { signal: options.signal }) }
  try {
    return await calls.run('events.tail', callOptions, look)
  } catch (error) {
    if (
      isStoreError(error) &&
      (error.code === 'closed' || error.code === 'aborted') &&
      hasEnded(calls, options?.signal)
    )
      return undefined
    throw error
  }
}

async function waitForMore(
  calls: Calls,
  given: AbortSignal | undefined,
  ms: number,
  appended: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const over = new AbortController()
  const signal = AbortSignal.any([over.signal, calls.closing, ...(given === undefined ? [] : [given])])
  await Promise.race([sleep(ms, signal), appended(signal)])
  over.abort()
}
