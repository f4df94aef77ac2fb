import type { LeaseToken, SessionKey } from '@daybook/core'
import { fork, type ChildProcess } from 'node:child_process'
import type { Ctx } from './context.ts'
import type { Worker } from './define.ts'
import type { AppendRecord } from './history.ts'
import type { Request, Start } from './worker.ts'
import type { AppendsArgs, Failure, LeaseArgs, WorkerScripts } from './worker-script.ts'

/** A store of the same place in another process, warm. */
export interface RemoteStore {
  call(path: string, ...args: unknown[]): Promise<unknown>
  appends(args: AppendsArgs): Promise<AppendRecord[]>
  /** The ids of a session's events, as that process reads them. */
  order(key: SessionKey): Promise<readonly string[]>
  deltas(args: AppendsArgs): Promise<number>
  /** Appends batches of `count` events without end, and says of each that it was acknowledged. Rejects when it cannot. */
  batches(args: AppendsArgs, acknowledged: (id: string) => void): Promise<never>
  /** Takes a lease, which that process renews for as long as it lives. */
  lease(args: LeaseArgs): Promise<LeaseToken>
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>
  stop(): Promise<void>
}

/** What a call in the other process rejected with. */
class RemoteError extends Error {
  override readonly name = 'RemoteError'
  readonly code: string | undefined

  constructor({ code, message }: Failure) {
    super(message)
    this.code = code
  }
}

type Answer = {
  readonly id: number
  readonly value?: unknown
  readonly failure?: Failure
  /** Said on the way; the answer is still to come. */
  readonly acknowledged?: string
}

const isSource = import.meta.url.endsWith('.ts')
const entry = new URL(isSource ? './worker.ts' : './worker.js', import.meta.url)
const loader = new URL('../bin/typescript.mjs', import.meta.url)

/** Node 20 strips no types: a hook does, when this suite or the worker's module is TypeScript. */
const execArgv = (module: string): string[] => [
  ...(isSource ? ['--conditions=@daybook/source'] : []),
  ...(isSource || /\.m?ts$/.test(module) ? ['--import', loader.href] : []),
]

/** A worker whose store has a bug, when the suite is proving itself. */
export interface BrokenWorker extends Worker {
  readonly mutant?: string
}

export async function startWorker({ module, args, mutant }: BrokenWorker, isCold?: 'cold'): Promise<RemoteStore> {
  const child = fork(entry, [], {
    serialization: 'advanced',
    execArgv: execArgv(module),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const listeners = new Map<number, (acknowledged: string) => void>()
  const settle = ({ id, value, failure, acknowledged }: Answer) => {
    if (acknowledged !== undefined) {
      listeners.get(id)?.(acknowledged)
      return
    }
    const call = waiting.get(id)
    waiting.delete(id)
    if (failure === undefined) call?.resolve(value)
    else call?.reject(new RemoteError(failure))
  }
  child.on('message', (message) => settle(message as Answer)) // our own worker sends nothing else
  child.once('exit', (code) => {
    for (const id of waiting.keys())
      settle({ id, failure: { code: undefined, message: `the worker ended with ${String(code)}` } })
  })
  let next = 0
  const answerTo = (id: number) => new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }))
  const ready = answerTo(0)
  child.send({ module, args, mutant, isCold: isCold === 'cold' } satisfies Start)
  await ready
  const ask = (script: keyof WorkerScripts, given: unknown, listener?: (acknowledged: string) => void) => {
    const id = (next += 1)
    if (listener !== undefined) listeners.set(id, listener)
    const answer = answerTo(id)
    child.send({ id, script, args: given } satisfies Request)
    return answer
  }
  return {
    call: (path, ...given) => ask('call', { path, args: given }),
    appends: async (given) => (await ask('appends', given)) as AppendRecord[], // the answer of that script
    order: async (key) => (await ask('order', key)) as readonly string[], // the answer of that script
    deltas: async (given) => (await ask('deltas', given)) as number, // the answer of that script
    lease: async (given) => (await ask('lease', given)) as LeaseToken, // the answer of that script
    batches: async (given, acknowledged) => (await ask('batches', given, acknowledged)) as never, // it has no end
    kill: () => end(child, ended, 'SIGKILL'),
    stop: async () => {
      if (child.connected) child.send({ id: -1, script: 'stop', args: undefined } satisfies Request)
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 5000).unref())])
      await end(child, ended, 'SIGKILL')
    },
  }
}

async function end(child: ChildProcess, ended: Promise<void>, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill(signal)
  await ended
}

/** So many other processes with a store each, over the place of the check. */
export async function withWorkers<T>(
  ctx: Ctx,
  count: number,
  body: (workers: readonly RemoteStore[]) => Promise<T>,
  isCold?: 'cold',
): Promise<T> {
  const workers = await Promise.all(Array.from({ length: count }, () => startWorker(ctx.need('worker'), isCold)))
  try {
    return await body(workers)
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()))
  }
}
