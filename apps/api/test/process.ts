import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { freshDatabase, memory } from './fresh-database.ts'

const server = fileURLToPath(new URL('../dist/server.js', import.meta.url))

/** Where a server runs: servers of one place share its database. */
export interface Place {
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
}

/** An empty folder with a database of its own, both gone when the test ends. */
export async function newPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'daybook-api-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const url = await freshDatabase()
  // A file is made where a server makes it when nothing is said.
  return { folder, env: url === memory ? {} : { DATABASE_URL: url } }
}

export interface ServerProcess {
  readonly url: string
  /** What it wrote so far. */
  readonly output: () => string
  /** Sends a signal and waits for the end. */
  stop(signal: NodeJS.Signals): Promise<{ code: number | null; milliseconds: number }>
}

/** A real server in a process of its own, on a free port, with the folder as working directory. */
export async function startServer(place: Place, env: Record<string, string> = {}): Promise<ServerProcess> {
  const { child, output } = spawnServer(place, env)
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
  place: Place,
  env: Record<string, string>,
): Promise<{ code: number | null; output: string }> {
  const { child, output } = spawnServer(place, env)
  await once(child, 'close')
  return { code: child.exitCode, output: output() }
}

function spawnServer(place: Place, env: Record<string, string>) {
  const { PATH = '' } = process.env
  const child = spawn(process.execPath, [server], {
    cwd: place.folder,
    env: { PATH, PORT: '0', LOG_LEVEL: 'warn', ...place.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)))
  onTestFinished(() => void child.kill('SIGKILL'))
  return { child, output: () => text }
}
