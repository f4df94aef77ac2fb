// The thread of a store that was opened with `worker: true`: opens the database, and does the work of its calls.
import {
  isStoreError,
  StoreError,
  type Call,
  type Logger,
  type SessionKey,
  type StatePathIndexRequest,
} from '@daybook/core'
import { operationsByName, storeErrorOf, type Dialect, type Engine } from '@daybook/drizzle'
import { parentPort, workerData } from 'node:worker_threads'
import { failureOf } from './errors.ts'
import { openLocalFile } from './local-file.ts'
import { syncEngine } from './sync-store.ts'
import { threadCall } from './worker-call.ts'
import { leave, throughGate } from './worker-gate.ts'
import {
  toWire,
  type CallMessage,
  type FromThread,
  type Removal,
  type ToThread,
  type WorkerStart,
} from './worker-messages.ts'

const port = parentPort
if (port === null) throw new TypeError('this file is the thread of a store; open one with worker: true')

const start = workerData as WorkerStart // what worker-link.ts starts it with

const post = (message: FromThread) => port.postMessage(message)

// oxlint-disable-next-line require-post-message-target-origin -- a port is no window
const tellRemoval = (removal: Removal) => start.removals.postMessage(removal)

/**
 * What the clock said when the call was sent on whose behalf the thread works now. A script runs without a break; a shorter way
 * begins when its call comes, or after a pause, when it may have the time of one that came meanwhile.
 */
let now = 0
const clocks = new WeakMap<Call, number>()
/** All that enters the binding comes through here. */
function guarded(dialect: Dialect): Dialect {
  const { appendTogether } = dialect
  return {
    ...dialect,
    appendEvents: (append, call) => work(call, async () => dialect.appendEvents?.(append, call)),
    createSession: (session, call) => work(call, async () => dialect.createSession?.(session, call)),
    ...(appendTogether && { appendTogether: (appends, call) => work(call, () => appendTogether(appends, call)) }),
    read: (script, call) => work(call, () => dialect.read(script, call)),
    write: (script, call) => work(call, () => dialect.write(script, call)),
    loadSession: (shape, params, call) => work(call, () => dialect.loadSession(shape, params, call)),
    server: (call) => work(call, () => dialect.server(call)),
    close: () => throughGate(start.gate, () => dialect.close()),
  }
}

function work<T>(call: Call, run: () => T): T {
  now = clocks.get(call) ?? now
  return throughGate(start.gate, run)
}

const log = (level: keyof Logger) => (facts: object, message: string) => post({ log: level, facts, message })
const logger: Logger = { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }

async function openEngine() {
  const { path, isMemory, pragmas, busyTimeout, names, limits, groupCommit, logs } = start
  const { connection, close } = await openLocalFile(path, pragmas, busyTimeout)
  const options = { ...names, busyTimeout, limits, groupCommit, now: () => now, ...(logs && { logger }) }
  return syncEngine(connection, options, { isMemory, close }, guarded)
}

function serve({ backend, operations, within }: Engine): void {
  const named = operationsByName(operations)
  const running = new Map<number, ReturnType<typeof threadCall>>()

  function perform({ name, request, now: sent }: CallMessage, call: Call): Promise<unknown> {
    now = sent
    // The store sends the arguments of these three; see worker-store.ts.
    if (name === 'look') {
      const { key, afterSeq } = request as { key: SessionKey; afterSeq: number }
      return backend.look(key, afterSeq, call)
    }
    if (name === 'migrate') return backend.migrate((request as { dryRun: boolean }).dryRun, call)
    if (name === 'indexStatePath' || name === 'dropStatePathIndex')
      return backend[name](request as StatePathIndexRequest, call) // what worker-store.ts sends under that name
    if (name === 'ask') return backend.ask(call, (request as { isDeep: boolean }).isDeep)
    const operation = named.get(name)
    if (operation === undefined) throw new StoreError('internal', `there is no operation ${name}`)
    return within(call, operation, request)
  }

  async function answer(message: CallMessage): Promise<void> {
    const call = threadCall(message, (counts) => tellRemoval({ call: message.call, counts }))
    clocks.set(call, message.now)
    running.set(message.call, call)
    try {
      const value = await perform(message, call)
      post({ answers: message.call, value })
    } catch (error) {
      post({ answers: message.call, error: toWire(error) })
    } finally {
      running.delete(message.call)
    }
  }

  port?.on('message', (message: ToThread) => {
    if ('call' in message) void answer(message)
    else if ('abort' in message) running.get(message.abort)?.abort()
    else void backend.close().finally(() => port.close()) // nothing else keeps the thread
  })
}

try {
  const { engine, probe } = await openEngine()
  serve(engine)
  post({ opened: probe })
} catch (error) {
  post({ refused: toWire(isStoreError(error) ? error : storeErrorOf(failureOf(error), error)) })
} finally {
  leave(start.gate)
}
