import { whenAborted, type SessionKey } from '@daybook/core'
import type { Listening } from '@daybook/drizzle'
import { setTimeout as wait } from 'node:timers/promises'
import { channel, topicOf } from './announcement.ts'

/** A connection of its own, for nothing else. */
export interface ListenConnection {
  query(text: string): Promise<{ readonly rows: readonly Readonly<Record<string, unknown>>[] }>
  on(event: 'notification', heard: (message: { readonly payload?: string | undefined }) => void): unknown
  on(event: 'error' | 'end', lost: () => void): unknown
  end(): Promise<void>
  /** What is below it. What waits for an answer hears that there will be none. */
  readonly connection: { readonly stream: { destroy(): unknown } }
}

/** Hears appends of every process, over one connection that is there while somebody listens. */
export interface Listener {
  listen(key: SessionKey): Listening
  /** Hears nothing any more, and leaves no connection. */
  close(): Promise<void>
}

interface Topic {
  listeners: number
  isLive: boolean
  heard: number
  readonly waiting: Set<() => void>
}

/** Milliseconds until a lost connection is replaced: at first, and at most. */
const pauses = { first: 100, most: 5_000 }
/** Milliseconds until a topic is asked for again, whose lock an append holds. */
const nextTry = 50

/** Milliseconds that a connection gets to say goodbye, and before that to answer what it was asked. */
const longestGoodbye = 1_000

/**
 * @param connect makes a connection on which notifications arrive, or rejects with {@link Deaf} where that cannot be. The
 * signal ends the wait for it
 */
export function createListener(connect: (signal: AbortSignal) => Promise<ListenConnection>): Listener {
  const topics = new Map<string, Topic>()
  let [isClosed, isDeaf] = [false, false]
  let running: Promise<void> | undefined
  let hasChanged = false
  let waking: (() => void) | undefined
  const givenUp = new AbortController()

  function wake(): void {
    hasChanged = true
    waking?.()
  }

  function told(topic: Topic, isLive = topic.isLive): void {
    topic.isLive = isLive
    topic.heard++
    for (const resolve of topic.waiting) resolve()
  }
  const isWanted = () => !isClosed && !isDeaf && topics.size > 0

  async function run(): Promise<void> {
    let pause = pauses.first
    while (isWanted()) {
      try {
        const connection = await connect(givenUp.signal)
        pause = pauses.first
        const unlisten = whenAborted(givenUp.signal, () => connection.connection.stream.destroy())
        await serve(connection)
          .finally(() => goodbye(connection))
          .finally(unlisten) // the signal lives as long as the store, and connections come and go
      } catch (error) {
        if (error instanceof Deaf) isDeaf = true
      }
      for (const topic of topics.values()) if (topic.isLive) told(topic, false)
      if (isWanted()) await woken(pause)
      pause = Math.min(pause * 2, pauses.most)
    }
  }

  /** Resolves when nobody listens any more; rejects when the connection is lost. */
  async function serve(connection: ListenConnection): Promise<void> {
    const lost = new AbortController()
    const lose = () => {
      lost.abort()
      wake()
    }
    connection.on('error', lose)
    connection.on('end', lose)
    connection.on('notification', ({ payload = '' }) => {
      const topic = topics.get(payload)
      if (topic !== undefined) told(topic)
    })
    await connection.query(`listen ${channel}`)
    const held = new Set<string>()
    while (isWanted() && !lost.signal.aborted) {
      for (const name of held) {
        if (topics.has(name)) continue
        held.delete(name)
        await connection.query(`select pg_advisory_unlock_shared(${name})`)
      }
      for (const [name, topic] of topics) {
        if (held.has(name)) {
          if (!topic.isLive) told(topic, true) // one that ended, and was asked for again
          continue
        }
        const { rows } = await connection.query(`select pg_try_advisory_lock_shared(${name}) as "held"`)
        if (rows[0]?.['held'] !== true) continue
        held.add(name)
        if (topics.get(name) === topic) told(topic, true)
      }
      const isComplete =
        [...topics.values()].every(({ isLive }) => isLive) && [...held].every((name) => topics.has(name))
      await woken(isComplete ? undefined : nextTry)
    }
  }

  /** Resolves when something has changed, or after so many milliseconds. It keeps no process alive. */
  const woken = (ms?: number) =>
    new Promise<void>((resolve) => {
      const timer = ms === undefined ? undefined : setTimeout(wake, ms).unref()
      waking = () => {
        clearTimeout(timer)
        waking = undefined
        hasChanged = false
        resolve()
      }
      if (hasChanged) waking()
    })

  function start(): void {
    if (running !== undefined || !isWanted()) return
    running = run().finally(() => {
      running = undefined
      start() // somebody may have come as it ended
    })
  }

  return {
    listen(key) {
      const name = topicOf(key)
      const topic = topics.get(name) ?? { listeners: 0, isLive: false, heard: 0, waiting: new Set() }
      topics.set(name, topic)
      topic.listeners++
      start()
      wake()
      let isOver = false
      return {
        get isLive() {
          return topic.isLive
        },
        get heard() {
          return topic.heard
        },
        next: (heard, signal) =>
          new Promise((resolve) => {
            if (heard !== topic.heard || signal.aborted) return resolve()
            const settled = () => {
              topic.waiting.delete(settled)
              signal.removeEventListener('abort', settled)
              resolve()
            }
            topic.waiting.add(settled)
            signal.addEventListener('abort', settled, { once: true })
          }),
        end() {
          if (isOver) return
          isOver = true
          topic.listeners--
          if (topic.listeners > 0) return
          topics.delete(name)
          wake()
        },
      }
    },
    async close() {
      isClosed = true
      wake()
      if (running === undefined) return
      const timer = setTimeout(() => givenUp.abort(), longestGoodbye).unref()
      await Promise.race([running, wait(3 * longestGoodbye, undefined, { ref: false })])
      clearTimeout(timer)
    },
  }
}

/** One that has gone silent does not answer it. */
async function goodbye(connection: ListenConnection): Promise<void> {
  const ended = connection.end().catch(() => {}) // it may be gone already
  await Promise.race([ended, wait(longestGoodbye, undefined, { ref: false })])
  connection.connection.stream.destroy()
}

/** A pooler is between: what is said to the connection that listened is said to somebody else. */
export class Deaf extends Error {}
