// The other process: opens the same place through the subject's module, and does what it is told.
import type { WorkerModule } from './define.ts'
import { mutants } from './mutants/index.ts'
import { failureOf, workerScripts, type WorkerScripts } from './worker-script.ts'

export interface Start {
  readonly module: string
  readonly args: unknown
  /** The bug to put into the store, when the suite is proving itself. */
  readonly mutant: string | undefined
  /** Nothing is read before it is ready: there may be no schema yet. */
  readonly isCold?: boolean | undefined
}

export interface Request {
  readonly id: number
  readonly script: keyof WorkerScripts | 'stop'
  readonly args: unknown
}

const reply = (message: unknown) => process.send?.(message)

/** A CommonJS file may hide its exports in its default one. */
async function workerModule(module: string): Promise<WorkerModule> {
  const found = (await import(module)) as WorkerModule & { readonly default?: WorkerModule } // Worker says what the module exports
  return typeof found.openWorkerStore === 'function' ? found : (found.default ?? found)
}

async function serve({ module, args, mutant, isCold = false }: Start): Promise<void> {
  const opened = await (await workerModule(module)).openWorkerStore(args)
  const store = mutants.find(({ id }) => id === mutant)?.wrap(opened, { memory: new Map() }, {}) ?? opened
  if (!isCold) await store.sessions.get({ appName: 'warm', userId: 'warm', sessionId: 'warm' })
  const scripts: Record<string, (args: never, say: (acknowledged: string) => void) => Promise<unknown>> = {
    ...workerScripts(store),
  }
  process.on('message', ({ id, script, args: given }: Request) => {
    if (script === 'stop') {
      void store.close().finally(() => process.disconnect())
      return
    }
    const run = scripts[script]
    const work =
      run === undefined
        ? Promise.reject(new Error(`there is no ${script}`))
        : run(given as never, (acknowledged) => reply({ id, acknowledged })) // each script has its own
    work.then(
      (value) => reply({ id, value }),
      (error: unknown) => reply({ id, failure: failureOf(error) }),
    )
  })
  reply({ id: 0, value: 'ready' })
}

process.once('message', (start: Start) => {
  serve(start).catch((error: unknown) => {
    reply({ id: 0, failure: failureOf(error) })
    process.exitCode = 1
    process.disconnect()
  })
})
