import type { LeaseToken, SessionKey } from '@daybook/core'
import type { Ctx } from './context.ts'
import type { Worker } from './define.ts'
import type { AppendRecord } from './history.ts'
import { endProcess, giveBack, takeProcess } from './processes.ts'
import type { Answer, Request } from './worker.ts'
import type { AppendsArgs, Failure, LeaseArgs, UploadArgs } from './worker-script.ts'

/** A store of the same place in another process, warm. */
export interface RemoteStore {
  call(path: string, ...args: unknown[]): Promise<unknown>
  appends(args: AppendsArgs): Promise<AppendRecord[]>
  /** The ids of a session's events, as that process reads them. */
  order(key: SessionKey): Promise<readonly string[]>
  deltas(args: AppendsArgs): Promise<number>
  /** Appends batches of `count` events without end, and says of each that it was acknowledged. Rejects when it cannot. */
  batches(args: AppendsArgs, acknowledged: (id: string) => void): Promise<never>
  /** Saves a stream that never ends, and says when some of it was taken. */
  upload(args: UploadArgs, taken: (id: string) => void): Promise<never>
  /** Takes a lease, which that process renews for as long as its store is open. */
  lease(args: LeaseArgs): Promise<LeaseToken>
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>
  /** Closes its store. The process waits for another check: to start one takes longer than most checks do. */
  stop(): Promise<void>
  /** Closes its store, and the process ends by itself, as a program does. */
  leave(): Promise<void>
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

/** A worker whose store has a bug, when the suite is proving itself. */
export interface BrokenWorker extends Worker {
  readonly mutant?: string
}

export async function startWorker({ module, args, mutant }: BrokenWorker, isCold?: 'cold'): Promise<RemoteStore> {
  const child = takeProcess(module)
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
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
  const hear = (message: unknown) => settle(message as Answer) // our own worker sends nothing else
  const ended = (code: number | null) => {
    for (const id of waiting.keys())
      settle({ id, failure: { code: undefined, message: `the worker ended with ${String(code)}` } })
  }
  child.on('message', hear)
  child.once('exit', ended)
  let next = 0
  const ask = (script: Request['script'], given: unknown, listener?: (acknowledged: string) => void) => {
    const id = (next += 1)
    if (listener !== undefined) listeners.set(id, listener)
    const answer = new Promise<unknown>((resolve, reject) => waiting.set(id, { resolve, reject }))
    child.send({ id, script, args: given } satisfies Request)
    return answer
  }
  const kill = () => endProcess(child)
  await ask('start', { module, args, mutant, isCold: isCold === 'cold' }).catch(async (error: unknown) => {
    await kill()
    throw error
  })
  return {
    call: (path, ...given) => ask('call', { path, args: given }),
    appends: async (given) => (await ask('appends', given)) as AppendRecord[], // the answer of that script
    order: async (key) => (await ask('order', key)) as readonly string[], // the answer of that script
    deltas: async (given) => (await ask('deltas', given)) as number, // the answer of that script
    lease: async (given) => (await ask('lease', given)) as LeaseToken, // the answer of that script
    batches: async (given, acknowledged) => (await ask('batches', given, acknowledged)) as never, // it has no end
    upload: async (given, taken) => (await ask('upload', given, taken)) as never, // it has no end
    kill,
    async stop() {
      const isClosed = child.connected && (await isSoon(ask('stop', undefined)))
      child.off('message', hear).off('exit', ended)
      if (isClosed) giveBack(module, child)
      else await kill()
    },
    async leave() {
      const left = new Promise((resolve) => child.once('exit', resolve))
      if (child.connected) void ask('end', undefined).catch(() => {}) // it answers by ending
      await isSoon(left)
      await kill()
    },
  }
}

/** Whether something is done within a few seconds. */
async function isSoon(work: Promise<unknown>): Promise<boolean> {
  const done = work.then(
    () => true,
    () => false,
  )
  const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), 5000).unref())
  return Promise.race([done, late])
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
