import type { Key } from '../contender.ts'
import type { BenchEvent } from '../data.ts'
import { hotSession, sessionAt } from '../seed.ts'
import type { Concurrent } from './workload.ts'

/** Made before, since making one costs more than sending it. */
const made = 500

const writers = (id: string, title: string, keyOf: (worker: number) => Key): Concurrent => ({
  id,
  title,
  workers: 32,
  async begin(contender, data, workers) {
    const events: BenchEvent[] = Array.from({ length: made }, () => data.event())
    let turn = 0
    const next = () => ({ ...(events[turn++ % made] ?? data.event()), id: data.uuid() })
    const appends = []
    for (let i = 0; i < workers; i++) appends.push(await contender.writer(keyOf(i)))
    return appends.map((append) => () => {
      const event = next()
      return () => append(event)
    })
  },
})

export const manySessions = writers('W6a', '32 at once append to 32 sessions', sessionAt)
export const oneSession = writers('W6b', '32 at once append to one session', () => hotSession)
