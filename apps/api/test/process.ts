import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const server = fileURLToPath(new URL('../dist/server.js', import.meta.url))

/** An empty folder, removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-api-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

export interface ServerProcess {
  readonly url: string
  /** What it wrote so far. */
  readonly output: () => string
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<{ code: number | null; milliseconds: number }>
}

/** A real server in a process of its own, on a free port, with the folder as working directory. */
export async function startServer(folder: string, env: Record<string, string> = {}): Promise<ServerProcess> {
  const { child, output } = spawnServer(folder, env)
  const ended = once(child, 'exit')
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', () => {
      const address = /Daybook is at (\S+)/.exec(output())?.[1]
      if (address !== undefined) resolve(address)
    })
    child.once('exit', () => reject(new Error(`the server did not start: ${output()}`)))
  })
  return {
    url,
    output,
    async stop(signal) {
      const begun = performance.now()
      child.kill(signal)
      await ended
      return { code: child.exitCode, milliseconds: performance.now() - begun }
    },
  }
}

/** A server that is expected to end by itself. */
export async function failedServer(
  folder: string,
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const { child, output } = spawnServer(folder, env)
  await once(child, 'close')
  return { code: child.exitCode, output: output() }
}

function spawnServer(cwd: string, env: Record<string, string>) {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [server], {
    cwd,
    env: { PATH, PORT: '0', LOG_LEVEL: 'warn', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)))
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, output: () => text }
}
