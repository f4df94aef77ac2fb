import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Ctx } from '../context.ts'
import { holds, Unproven } from '../expect.ts'
import { keyOf, newSession, numbers } from '../fixtures.ts'

/** The collector, which Node keeps to itself unless asked. */
export function exposedGc(): () => void {
  setFlagsFromString('--expose-gc')
  const gc: unknown = runInNewContext('gc')
  if (typeof gc !== 'function') throw new Unproven('host cannot show it', 'there is no collector to call')
  return () => void gc()
}

const atOnce = 4

export async function heapIsFlat(ctx: Ctx): Promise<void> {
  const gc = exposedGc()
  await newSession(ctx)
  const cycle = () => ctx.store.sessions.get(keyOf(ctx), { events: 'all' })
  // A few at once: what is looked for is what is kept of each, and one by one the database is mostly waited for.
  const heapAfter = async (cycles: number) => {
    for (let i = 0; i < cycles; i += atOnce) await Promise.all(numbers(atOnce).map(cycle))
    gc()
    return process.memoryUsage().heapUsed
  }
  await heapAfter(500)
  const before = await heapAfter(500)
  const after = await heapAfter(5000)
  holds(after - before < 4_000_000, 'the heap stays flat', `${before} bytes, then ${after}`)
}
