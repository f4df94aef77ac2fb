import { isStoreError, StoreError, type Call, type Logger } from '@daybook/core'
import { setTimeout as wait } from 'node:timers/promises'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
import type { Probe } from './probe.ts'
import { isCommitting } from './worker-call.ts'
import { newGate, shutAtExit } from './worker-gate.ts'
import {
  fromWire,
  type CallMessage,
  type FromThread,
  type Removal,
  type ToThread,
  type WorkerStart,
} from './worker-messages.ts'

/** A thread that has a database open, as the store sees it. */
export interface Thread {
  /** Rejects as `openSqliteStore` does. */
  readonly opened: Promise<Probe>
  /** Why it is no more. */
  readonly ended: { readonly cause: unknown } | undefined
  readonly ask: (message: Omit<CallMessage, 'call'>, call: Call) => Promise<unknown>
  /** Tells the calls what they have removed, up to now. */
  hearRemovals(): void
  /** Has it close the database, and waits for its end. */
  close(): Promise<void>
  /** For tests of what happens when it ends. */
  readonly worker: Worker
}

interface Waiting {
  readonly call: Call
  readonly cell: Int32Array
  /** Takes back what is to be done once the call is over. */
  readonly stay: () => void
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

/** What the thread begins with, and the options of Node for it if not those of this process. */
interface Code {
  readonly entry: URL
  readonly execArgv?: string[]
}

/** This file is a `.ts` in the sources and a `.js` in the package, and so is that one. */
const ownCode: Code = {
  entry: new URL(`./worker-thread${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url),
}

/** Milliseconds to wait for the thread to close the database. It is not ended by force: see worker-gate.ts. */
const closing = 10_000

/** It keeps the process alive while calls wait for it, and no longer. */
export function startThread(
  start: Omit<WorkerStart, 'gate' | 'removals'>,
  logger: Logger | undefined,
  { entry, ...options }: Code = ownCode,
): Thread {
  const gate = newGate()
  const { port1: removed, port2: removals } = new MessageChannel()
  const workerData: WorkerStart = { ...start, gate, removals }
  const worker = new Worker(entry, { ...options, workerData, transferList: [removals], name: 'daybook-sqlite' })
  const isOver = shutAtExit(gate)
  const waiting = new Map<number, Waiting>()
  let next = 0
  let ended: Thread['ended']
  let failure: unknown
  const opened = new Promise<Probe>((resolve, reject) => {
    worker.on('message', (message: FromThread) => {
      if ('opened' in message) resolve(message.opened)
      if ('refused' in message) reject(fromWire(message.refused))
    })
    worker.once('exit', () => reject(lost(failure))) // of no effect once it was opened
  })
  opened.then(
    () => waiting.size === 0 && worker.unref(),
    () => {}, // whoever opens waits for it
  )

  // oxlint-disable-next-line require-post-message-target-origin -- a thread is no window
  const post = (message: ToThread) => worker.postMessage(message)

  function hearRemovals(): void {
    for (let found = receiveMessageOnPort(removed); found !== undefined; found = receiveMessageOnPort(removed)) {
      const { call, counts } = found.message as Removal // the thread sends nothing else there
      waiting.get(call)?.call.removed(counts)
    }
  }

  function settle(id: number): Waiting | undefined {
    hearRemovals()
    const found = waiting.get(id)
    found?.stay()
    waiting.delete(id)
    if (waiting.size === 0) worker.unref()
    return found
  }

  /** Only the store knows the ids that it had made. */
  function fail(found: Waiting | undefined, error: Error): void {
    const isUnknown = isStoreError(error) && error.code === 'outcome_unknown'
    found?.reject(isUnknown ? found.call.outcomeUnknown(error.cause) : error)
  }

  worker.on('message', (message: FromThread) => {
    if ('log' in message) logger?.[message.log](message.facts, message.message)
    else if ('value' in message) settle(message.answers)?.resolve(message.value)
    else if ('error' in message) fail(settle(message.answers), fromWire(message.error))
  })
  worker.once('error', (error) => (failure = error))
  worker.once('exit', (code) => {
    const cause = failure ?? new Error(`the thread ended with ${code}`)
    ended = { cause }
    isOver()
    hearRemovals()
    for (const { call, cell, reject } of waiting.values())
      reject(isCommitting(cell) ? call.outcomeUnknown(cause) : lost(cause))
    waiting.clear()
  })

  return {
    worker,
    opened,
    get ended() {
      return ended
    },
    hearRemovals,
    ask: (message, call) =>
      new Promise((resolve, reject) => {
        const id = next++
        if (ended !== undefined) return reject(lost(ended.cause))
        worker.ref()
        post({ call: id, ...message })
        const stay = call.onOver(() => post({ abort: id }))
        waiting.set(id, { call, cell: message.cell, stay, resolve, reject })
      }),
    async close() {
      if (ended !== undefined) return
      worker.ref()
      post({ close: true })
      const over = new AbortController()
      worker.once('exit', () => over.abort())
      await wait(closing, undefined, over).catch(() => {}) // it ended before the time was over
      worker.unref()
    },
  }
}

const lost = (cause: unknown) =>
  new StoreError('unavailable', 'the thread of the store ended before anything was committed', { cause })
