import type { Contender, Key } from '../contender.ts'
import type { BenchEvent } from '../data.ts'
import { hotSession, sessionAt } from '../seed.ts'
import type { Concurrent } from './workload.ts'

/** Made before, since making one costs more than sending it. */
const made = 500
/** More than there will be. */
const all = 1_000_000

interface Answered {
  readonly key: Key
  readonly ids: string[]
}

const writers = (id: string, title: string, keyOf: (worker: number) => Key): Concurrent => ({
  id,
  title,
  workers: 32,
  async begin(contender, data, workers) {
    const events: BenchEvent[] = Array.from({ length: made }, () => data.event())
    const answered = new Map<string, Answered>()
    let turn = 0
    const prepares = []
    for (let i = 0; i < workers; i++) {
      const key = keyOf(i)
      const append = await contender.writer(key)
      const { ids }: Answered = answered.get(key.sessionId) ?? { key, ids: [] }
      answered.set(key.sessionId, { key, ids })
      prepares.push(() => {
        const event = { ...(events[turn++ % made] ?? data.event()), id: data.uuid() }
        return async () => {
          await append(event)
          ids.push(event.id)
        }
      })
    }
    return { prepares, lost: () => lost(contender, [...answered.values()]) }
  },
})

async function lost(contender: Contender, answered: readonly Answered[]): Promise<number> {
  let missing = 0
  for (const { key, ids } of answered) {
    const { events } = await contender.load(key, all)
    const there = new Set(events.map(({ id }) => id))
    missing += ids.filter((id) => !there.has(id)).length
  }
  return missing
}

export const manySessions = writers('W6a', '32 at once append to 32 sessions', sessionAt)
export const oneSession = writers('W6b', '32 at once append to one session', () => hotSession)
