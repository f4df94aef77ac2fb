import { fork } from 'node:child_process'
import type { Command, Tasks } from './child.ts'

interface Reply {
  readonly id?: number
  readonly value?: unknown
  readonly failure?: string
  readonly acknowledged?: string
}

/** Another Node process that does the tasks of child.ts. */
export interface Child extends AsyncDisposable {
  call<Name extends keyof Tasks>(name: Name, ...args: Parameters<Tasks[Name]>): ReturnType<Tasks[Name]>
  /** Ids of the appends that were acknowledged so far. */
  readonly acknowledged: readonly string[]
  /** Ends it as a crash would. */
  kill(): Promise<void>
}

const loader = new URL('../../conformance/bin/typescript.mjs', import.meta.url).href

export function startChild(): Child {
  const child = fork(new URL('child.ts', import.meta.url), [], {
    serialization: 'advanced',
    execArgv: ['--conditions=@daybook/source', '--import', loader],
  })
  const acknowledged: string[] = []
  const waiting = new Map<number, (reply: Reply) => void>()
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  child.on('message', (message) => {
    const reply = message as Reply // child.ts sends nothing else
    if (reply.acknowledged !== undefined) acknowledged.push(reply.acknowledged)
    if (reply.id !== undefined) waiting.get(reply.id)?.(reply)
  })
  void ended.then(() => waiting.forEach((settle) => settle({ failure: 'the process ended' })))
  let calls = 0

  async function request(command: Command): Promise<unknown> {
    const reply = await new Promise<Reply>((resolve) => {
      waiting.set(command.id, resolve)
      child.send(command)
    })
    if (reply.failure !== undefined) throw new Error(reply.failure)
    return reply.value
  }

  const call: Child['call'] = (name, ...args) => request({ id: calls++, name, args }) as ReturnType<Tasks[typeof name]> // what the task answers
  const kill = async () => {
    child.kill('SIGKILL')
    await ended
  }
  return { call, acknowledged, kill, [Symbol.asyncDispose]: kill }
}
