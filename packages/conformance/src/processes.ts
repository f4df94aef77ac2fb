import { fork, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const isSource = import.meta.url.endsWith('.ts')
const entry = new URL(isSource ? './worker.ts' : './worker.js', import.meta.url)
const loader = new URL('../bin/typescript.mjs', import.meta.url)

/** Node 20 strips no types: a hook does, when this suite or the worker's module is TypeScript. */
const needsHook = (module: string) => isSource || /\.m?ts$/.test(module)

const execArgv = (module: string): string[] => [
  ...(isSource ? ['--conditions=@daybook/source'] : []),
  ...(needsHook(module) ? ['--import', loader.href] : []),
]

/** What the hook made of a file it makes once, and not again in each process. */
let stripped: string | undefined

function environment(module: string): NodeJS.ProcessEnv {
  if (!needsHook(module)) return process.env
  stripped ??= mkdtempSync(join(tmpdir(), 'daybook-stripped-'))
  return { ...process.env, DAYBOOK_STRIPPED: stripped }
}

/** Processes whose store is closed, by the module that they have loaded. */
const idle = new Map<string, ChildProcess[]>()

/** A process that has no store yet: one that is idle, or a new one. */
export function takeProcess(module: string): ChildProcess {
  const waiting = idle.get(module)?.pop()
  if (waiting === undefined)
    return fork(entry, [], {
      serialization: 'advanced',
      execArgv: execArgv(module),
      env: environment(module),
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
  waiting.removeAllListeners('exit').ref()
  waiting.channel?.ref()
  return waiting
}

/** Takes back a process whose store is closed. It does not keep this one from ending. */
export function giveBack(module: string, child: ChildProcess): void {
  const list = idle.get(module) ?? []
  idle.set(module, list)
  list.push(child)
  child.once('exit', () => {
    if (list.includes(child)) list.splice(list.indexOf(child), 1)
  })
  child.unref()
  child.channel?.unref()
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = new Promise((resolve) => child.once('exit', resolve))
  child.ref()
  child.kill('SIGKILL')
  await ended
}

/** Ends the processes that are idle. */
export async function endProcesses(): Promise<void> {
  await Promise.all([...idle.values()].flatMap((list) => list.splice(0)).map(endProcess))
  if (stripped !== undefined) rmSync(stripped, { recursive: true, force: true })
  stripped = undefined
}
