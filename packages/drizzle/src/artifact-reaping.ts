import {
  createCalls,
  isStoreError,
  membersOf,
  unlessAborted,
  whenAborted,
  type Call,
  type CallOptions,
  type StoredObject,
} from '@daybook/core'
import { sweepChunk, type Buried } from './artifact-leftovers.ts'
import type { ArtifactObjects } from './artifact-objects.ts'
import type { ArtifactOperations } from './artifact-operations.ts'
import type { ArtifactCalls } from './artifact-store.ts'

/** What goes on beside the calls: taking back what a save wrote that failed, and deleting outside of the database what was deleted in it. */
export interface ArtifactReaping {
  /** Work of which nobody hears: what does not come about is noted, and done later. */
  aside(work: (call: Call) => Promise<void>, options?: CallOptions): Promise<void>
  /**
   * Deletes outside of the database what is to be. It ends with the store, and what it does not come to is noted. A storage that
   * fails is not asked for all that waits, unless this is a sweep.
   */
  reap(appName: string, options: CallOptions, isSweep?: 'sweep'): Promise<void>
  /** The answer of a call, once what it deleted in the database is deleted outside of it, too, in what is left of its time. */
  reaped<T>(of: unknown, options: CallOptions | undefined, work: Promise<T>, isSweep?: 'sweep'): Promise<T>
  /** Stops deleting outside of the database, and waits for the rest, once the calls of the store have ended that may lead to it. */
  close(ended: Promise<void>): Promise<void>
}

/** Milliseconds for taking back what a save wrote that failed. */
const timeAside = 10_000

/** Milliseconds that a storage may take to delete one object, so that one that hangs does not hold up the others. */
const timeForOne = 5_000

/** Objects that a storage may refuse to delete before a call lets it be. */
const mostRefused = 3

export function createArtifactReaping(
  operations: ArtifactOperations,
  { within, timeout: standard, logger, objects }: ArtifactCalls,
): ArtifactReaping {
  // Of their own: the call that led here may be over, and the store about to close, which waits for these as well.
  const asides = createCalls({ timeout: timeAside })
  const closing = new AbortController()
  /** Of an app whose storage failed: the last object that it was asked for, so that the next call begins with others. */
  const failedAt = new Map<string, string>()

  async function aside(work: (call: Call) => Promise<void>, options?: CallOptions): Promise<void> {
    await asides.run('artifacts.discard', options, work).catch((error: unknown) => {
      const code = isStoreError(error) ? error.code : 'internal'
      logger?.warn({ code }, 'bytes of artifacts that nobody needs could not be removed; they are swept later')
    })
  }

  /** From an object on to the last one, and then those before it. */
  async function* buried(appName: string, start: string, call: Call): AsyncGenerator<Buried> {
    let [after, isAround] = [start, start === '']
    for (;;) {
      const found = await within(call, operations.buried(appName, after))
      for (const one of found) {
        if (isAround && start !== '' && one.uploadId > start) return
        yield one
      }
      after = found.at(-1)?.uploadId ?? after
      if (found.length === sweepChunk) continue
      if (isAround) return
      isAround = true
      after = ''
    }
  }

  /** What cannot be deleted holds up nothing else for long. */
  async function deleteAll(appName: string, storage: ArtifactObjects, call: Call, isSweep: boolean): Promise<void> {
    const start = isSweep ? '' : (failedAt.get(appName) ?? '')
    failedAt.delete(appName)
    let kept = 0
    for await (const one of buried(appName, start, call)) {
      call.check()
      const outcome = await deletionOf(storage, { appName, id: one.uploadId }, call.signal)
      if (outcome === 'deleted') {
        await within(call, operations.discard(one, one.uploadId))
        continue
      }
      kept++
      if (isSweep || (outcome === 'refused' && kept < mostRefused)) continue
      failedAt.set(appName, one.uploadId)
      break
    }
    if (kept > 0) logger?.warn({ objects: kept }, 'the storage of artifacts could not delete all; it is tried again')
  }

  async function reap(appName: string, { timeout = timeAside, signal }: CallOptions, isSweep?: 'sweep'): Promise<void> {
    if (objects === undefined) return
    await whileAny([closing.signal, ...(signal === undefined ? [] : [signal])], (any) =>
      aside((call) => deleteAll(appName, objects, call, isSweep !== undefined), { timeout, signal: any }),
    )
  }

  return {
    aside,
    reap,
    async reaped(of, options, work, isSweep) {
      const began = performance.now()
      const answer = await work
      if (objects === undefined || isDry(answer)) return answer
      const { timeout = standard, signal } = membersOf(options ?? {}, 'options', ['signal', 'timeout']) as CallOptions // looked at by the call
      const left = { timeout: timeLeft(began + timeout), ...(signal !== undefined && { signal }) }
      await reap(String(membersOf(of, 'key', ['appName']).appName), left, isSweep)
      return answer
    },
    async close(ended) {
      closing.abort()
      await ended
      await asides.close()
    },
  }
}

/** Milliseconds until a time, for a call that has to have some. */
export const timeLeft = (deadline: number): number => Math.max(1, deadline - performance.now())

/** What became of an object. What the storage says instead may name a file, so the objects are counted and that is not told. */
async function deletionOf(
  storage: ArtifactObjects,
  object: StoredObject,
  signal: AbortSignal,
): Promise<'deleted' | 'refused' | 'unanswered'> {
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), timeForOne).unref()
  try {
    return await whileAny([signal, late.signal], async (any) => {
      const deleted = storage.delete(object, any).then(
        () => 'deleted' as const,
        () => 'refused' as const,
      )
      return (await unlessAborted(deleted, any)) ?? 'unanswered'
    })
  } finally {
    clearTimeout(timer)
  }
}

/** Gives some work a signal that fires with any of these. Unlike AbortSignal.any it leaves nothing at a signal that lasts. */
async function whileAny<T>(signals: readonly AbortSignal[], work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const stop = new AbortController()
  const unlisten = signals.map((signal) => whenAborted(signal, () => stop.abort(signal.reason)))
  if (signals.some(({ aborted }) => aborted)) stop.abort()
  try {
    return await work(stop.signal)
  } finally {
    for (const end of unlisten) end()
  }
}

/** The report of what only counted. */
const isDry = (answer: unknown): boolean =>
  typeof answer === 'object' && answer !== null && 'dryRun' in answer && answer.dryRun === true
