import { checkedCount, checkedOptions, checkedSessionKey, membersOf } from './arguments.ts'
import { isStoreError } from './errors.ts'
import type { AgentEvent, StoredEvent, TailOptions } from './events.ts'
import { findSession, type SessionRow } from './in-memory-database.ts'
import { storedEvent } from './in-memory-events.ts'
import type { InMemoryContext } from './in-memory-state.ts'
import type { SessionKey } from './sessions.ts'
import { whenAborted } from './when-aborted.ts'

/** The events of a session as they come. Whoever appends wakes it, so that it never has to look again. */
export function tailOf<E extends AgentEvent>(
  context: InMemoryContext,
  key: SessionKey,
  options: TailOptions | undefined,
): AsyncIterable<StoredEvent<E>> {
  const { calls, limits } = context
  // The arguments are read now, since they are the caller's; what is wrong with them is told where somebody listens.
  const opening = calls.run('events.tail', options, () => {
    const { afterSeq = 0, pollInterval = 1 } = checkedOptions(options, ['afterSeq', 'pollInterval'])
    checkedCount(pollInterval, 'pollInterval', { min: 1 })
    const { signal } = membersOf(options ?? {}, 'options', ['signal'])
    return {
      key: checkedSessionKey(key, limits),
      afterSeq: checkedCount(afterSeq, 'afterSeq'),
      signals: signal === undefined ? [] : [signal as AbortSignal], // the call that this is in has looked at it
    }
  })
  opening.catch(() => {}) // a tail that nobody reads fails unheard
  return {
    [Symbol.asyncIterator]() {
      const left = new AbortController()
      const events = follow<E>(context, opening, [calls.closing, left.signal])
      return {
        next: () => events.next(),
        // Without the signal it would wait behind a `next` that waits for an event.
        return: () => {
          left.abort()
          return events.return(undefined)
        },
      }
    },
  }
}

interface Opened {
  readonly key: SessionKey
  readonly afterSeq: number
  /** The caller's. */
  readonly signals: readonly AbortSignal[]
}

async function* follow<E extends AgentEvent>(
  { data }: InMemoryContext,
  opening: Promise<Opened>,
  ends: readonly AbortSignal[],
): AsyncGenerator<StoredEvent<E>, undefined> {
  const opened = await opening.catch(quietIfAborted)
  if (opened === undefined) return
  const row = findSession(data, opened.key)
  if (row === undefined) return
  let { afterSeq } = opened
  const signals = [...ends, ...opened.signals]
  while (!row.isDeleted && !signals.some(({ aborted }) => aborted)) {
    const event = row.events[afterSeq]
    if (event === undefined) await change(row, signals)
    else {
      yield storedEvent(event)
      afterSeq++
    }
  }
}

function quietIfAborted(error: unknown): undefined {
  if (!isStoreError(error) || error.code !== 'aborted') throw error
}

/** Resolves when the session has new events or is gone, or one of the signals fires. */
function change({ watchers }: SessionRow, signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      watchers.delete(done)
      for (const unlisten of waiting) unlisten()
      resolve()
    }
    watchers.add(done)
    const waiting = signals.map((signal) => whenAborted(signal, done))
  })
}
