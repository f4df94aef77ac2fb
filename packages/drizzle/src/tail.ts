import type { Listening } from './listening.ts'
import type { Call, Calls, SessionKey, StoredEvent, TailOptions } from '@daybook/core'
import {
  checkedCount,
  checkedOptions,
  checkedSessionKey,
  isStoreError,
  membersOf,
  whenAborted,
  whenOver,
  type CallOptions,
  type ErrorCode,
  type Limits,
} from '@daybook/core'

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
  /** Hears what other processes append, where the database tells. */
  readonly listen: ((key: SessionKey) => Listening) | undefined
}

interface Opened {
  readonly key: SessionKey
  readonly afterSeq: number
  readonly longestWait: number
  /** The caller's signal, and the time of each look. */
  readonly given: CallOptions
}

const shortestWait = 25
/** Between two looks of a tail that would be woken: a notification can be lost, and sessions can go with many others. */
const wokenWait = 4_000

/**
 * New events by looking for them: at once when this process wrote them or the database says so, otherwise after a wait that
 * doubles, while nothing comes, up to `pollInterval`. `seq` has no gaps and is given in commit order, so that nothing after the last one seen can
 * be missed.
 */
export function tail(parts: Parts, key: unknown, options: TailOptions | undefined): AsyncIterable<StoredEvent> {
  const { calls, limits } = parts
  // The arguments are read now, since they are the caller's; what is wrong with them is told where somebody listens.
  const opening = calls.run('events.tail', options, (): Opened => {
    const { afterSeq = 0, pollInterval = 1_000 } = checkedOptions(options, ['afterSeq', 'pollInterval'])
    return {
      key: checkedSessionKey(key, limits),
      afterSeq: checkedCount(afterSeq, 'afterSeq'),
      longestWait: checkedCount(pollInterval, 'pollInterval', { min: 1 }),
      given: membersOf(options ?? {}, 'options', ['signal', 'timeout']) as CallOptions, // the call that this is in has looked at them
    }
  })
  opening.catch(() => {}) // a tail that nobody reads fails unheard
  return {
    [Symbol.asyncIterator]() {
      const left = new AbortController()
      const events = follow(parts, opening, left)
      return {
        next: () => events.next(),
        // Without the signal it would wait behind a `next` that waits for an event.
        return() {
          left.abort()
          return events.return(undefined)
        },
      }
    },
  }
}

async function* follow(
  { calls, look, appended, listen }: Parts,
  opening: Promise<Opened>,
  end: AbortController,
): AsyncGenerator<StoredEvent, undefined> {
  const opened = await opening.catch(quietIfAborted)
  if (opened === undefined) return
  const { key, longestWait, given } = opened
  const { signal } = end
  const options = { ...given, signal }
  // Not by AbortSignal.any, which takes no signals of test environments, and leaves something at those that last.
  const unlisten = [calls.closing, ...(given.signal === undefined ? [] : [given.signal])].map((one) =>
    whenOver(one, () => end.abort()),
  )
  const listening = listen?.(key) ?? deaf
  try {
    let [seq, wait, sid] = [opened.afterSeq, shortestWait, '']
    while (!signal.aborted) {
      const { isLive, heard } = listening // before the look, which may miss what comes after it
      const found = await quietly(signal, ['aborted', 'closed'], () =>
        calls.run('events.tail', options, (call) => look(key, seq, call)),
      )
      if (found === undefined || (sid !== '' && sid !== found.sid)) return
      sid = found.sid
      for (const event of found.events) {
        yield event
        if (signal.aborted) return
        seq = event.seq
      }
      if (found.events.length > 0) {
        wait = shortestWait
        continue
      }
      await newsOr(isLive ? Math.max(wokenWait, longestWait) : wait, signal, (over) =>
        Promise.race([appended(key, over), listening.next(heard, over)]),
      )
      wait = isLive ? shortestWait : Math.min(wait * 2, longestWait)
    }
  } finally {
    listening.end()
    for (const stop of unlisten) stop()
  }
}

function quietIfAborted(error: unknown): undefined {
  if (!isStoreError(error) || error.code !== 'aborted') throw error
}

/** Where the database says nothing. */
const deaf: Listening = {
  isLive: false,
  heard: 0,
  next: () => new Promise(() => {}), // the other one of the race ends it
  end() {
    // There is nothing to end.
  },
}

/** An abort ends a tail quietly, and so does the closing of the store once the tail was open: also in the middle of a look. */
async function quietly<T>(
  signal: AbortSignal,
  codes: readonly ErrorCode[],
  work: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await work()
  } catch (error) {
    if (isStoreError(error) && codes.includes(error.code) && signal.aborted) return undefined
    throw error
  }
}

/** Resolves after so many milliseconds, or earlier with news or the signal. It keeps no process alive. */
async function newsOr(ms: number, signal: AbortSignal, news: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const over = new AbortController()
  const unlisten = whenAborted(signal, () => over.abort())
  const timer = setTimeout(() => over.abort(), ms)
  timer.unref()
  await news(over.signal)
  over.abort() // whatever else waited for news
  clearTimeout(timer)
  unlisten()
}
