import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs `work` while no other process of this machine holds the lock of the same path. The lock is a socket in Linux' abstract
 * namespace: it ends with its process, however that ends, so there is no stale one to break.
 */
export async function locked<T>(path: string, work: () => Promise<T>): Promise<T> {
  const name = `\0daybook-${createHash('sha256').update(path).digest('hex')}`
  for (;;) {
    const holder = createServer()
    try {
      holder.listen(name)
      await once(holder, 'listening')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException // what a socket fails with
      if (code !== 'EADDRINUSE') throw error
      await sleep(50)
      continue
    }
    try {
      return await work()
    } finally {
      await new Promise((done) => holder.close(done))
    }
  }
}
