// The other process: opens places through the subject's module, one after the other, and does what it is told.
import type { Store } from '@daybook/core'
import type { WorkerModule } from './define.ts'
import { mutants } from './mutants/index.ts'
import { failureOf, workerScripts, type Failure, type WorkerScripts } from './worker-script.ts'

interface Start {
  readonly module: string
  readonly args: unknown
  /** The bug to put into the store, when the suite is proving itself. */
  readonly mutant: string | undefined
  /** Nothing is read before it is ready: there may be no schema yet. */
  readonly isCold: boolean
}

export interface Request {
  readonly id: number
  /** `stop` closes the store, after which another may start; after `end` the process has nothing left to do. */
  readonly script: keyof WorkerScripts | 'start' | 'stop' | 'end'
  readonly args: unknown
}

export interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly failure?: Failure
  /** Said on the way; the answer is still to come. */
  readonly acknowledged?: string
}

/** After the end nobody listens any more. */
const reply = (answer: Answer) => process.connected && process.send?.(answer)

/** A CommonJS file may hide its exports in its default one. */
async function workerModule(module: string): Promise<WorkerModule> {
  const found = (await import(module)) as WorkerModule & { readonly default?: WorkerModule } // Worker says what the module exports
  return typeof found.openWorkerStore === 'function' ? found : (found.default ?? found)
}

let store: Store | undefined

async function start({ module, args, mutant, isCold }: Start): Promise<void> {
  const opened = await (await workerModule(module)).openWorkerStore(args)
  store = mutants.find(({ id }) => id === mutant)?.wrap(opened, { memory: new Map() }, {}) ?? opened
  if (!isCold) await store.sessions.get({ appName: 'warm', userId: 'warm', sessionId: 'warm' })
}

async function stop(): Promise<void> {
  const open = store
  store = undefined
  await open?.close()
}

async function answerTo({ id, script, args }: Request): Promise<unknown> {
  if (script === 'start') return start(args as Start) // what process.ts sends with it
  if (script === 'stop') return stop()
  if (script === 'end') return stop().finally(() => process.disconnect())
  if (store === undefined) throw new Error('there is no store')
  const scripts: Record<string, (given: never, say: (acknowledged: string) => void) => Promise<unknown>> = {
    ...workerScripts(store),
  }
  const run = scripts[script]
  if (run === undefined) throw new Error(`there is no ${script}`)
  return run(args as never, (acknowledged) => reply({ id, acknowledged })) // each script has its own
}

process.on('message', (request: Request) => {
  const { id } = request
  answerTo(request).then(
    (value) => reply({ id, value }),
    (error: unknown) => reply({ id, failure: failureOf(error) }),
  )
})
