import { setTimeout } from 'node:timers/promises'
import {
  checkedCount,
  checkedOptions,
  checkedSessionKey,
  isStoreError,
  membersOf,
  whenOver,
  type AgentEvent,
  type Calls,
  type Limits,
  type SessionKey,
  type Store,
  type StoredEvent,
  type TailOptions,
} from '@daybook/core'

export interface TailedFile {
  readonly calls: Calls
  readonly limits: Limits
  /** The store as the file is now. */
  readonly load: () => Promise<Store>
}

/** The events of a session as they come: nobody tells of a changed file, so it is looked at again and again. */
export function tailOf<E extends AgentEvent>(
  { calls, limits, load }: TailedFile,
  key: SessionKey,
  options: TailOptions | undefined,
): AsyncIterable<StoredEvent<E>> {
  // The arguments are read now, since they are the caller's; what is wrong with them is told where somebody listens.
  const opening = calls.run('events.tail', options, () => {
    const { afterSeq = 0, pollInterval = 1000 } = checkedOptions(options, ['afterSeq', 'pollInterval'])
    const wait = checkedCount(pollInterval, 'pollInterval', { min: 1 })
    const { signal } = membersOf(options ?? {}, 'options', ['signal'])
    return {
      key: checkedSessionKey(key, limits),
      afterSeq: checkedCount(afterSeq, 'afterSeq'),
      wait,
      ends: [calls.closing, ...(signal === undefined ? [] : [signal as AbortSignal])], // the call that this is in has looked at it
    }
  })
  opening.catch(() => {}) // a tail that nobody reads fails unheard
  return {
    [Symbol.asyncIterator]() {
      const left = new AbortController()
      const events = follow<E>(load, opening, left)
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
  readonly wait: number
  /** What ends it from outside. */
  readonly ends: readonly AbortSignal[]
}

async function* follow<E extends AgentEvent>(
  load: TailedFile['load'],
  opening: Promise<Opened>,
  over: AbortController,
): AsyncGenerator<StoredEvent<E>, undefined> {
  const opened = await opening.catch(quietIfAborted)
  if (opened === undefined) return
  const unlisten = opened.ends.map((signal) => whenOver(signal, () => over.abort()))
  try {
    yield* eventsOf<E>(load, opened, over.signal)
  } finally {
    for (const end of unlisten) end()
  }
}

async function* eventsOf<E extends AgentEvent>(
  load: TailedFile['load'],
  opened: Opened,
  signal: AbortSignal,
): AsyncGenerator<StoredEvent<E>, undefined> {
  let { afterSeq } = opened
  let createdAt: number | undefined
  while (!signal.aborted) {
    const session = await (await load()).sessions.get(opened.key, { events: { afterSeq } })
    // Deleted, or another one under its id.
    if (session === undefined || session.createdAt !== (createdAt ??= session.createdAt)) return
    if (session.lastSeq < afterSeq && afterSeq > opened.afterSeq) return
    for (const { seq, event } of session.events) {
      if (signal.aborted) return
      yield { seq, event: event as StoredEvent<E>['event'] } // what the caller says it put there
      afterSeq = seq
    }
    await setTimeout(opened.wait, undefined, { signal, ref: false }).catch(() => {}) // woken by the end
  }
}

function quietIfAborted(error: unknown): undefined {
  if (!isStoreError(error) || error.code !== 'aborted') throw error
}
