import type { Append } from '../contender.ts'
import { sessionAt } from '../seed.ts'
import type { Sequential } from './workload.ts'

const sessions = 64

export const append: Sequential = {
  id: 'W2',
  title: 'append an event of 1 KB that changes session and user state',
  rounds: 80,
  chunk: 8,
  async begin(contender, data) {
    const writers: Append[] = []
    for (let i = 0; i < sessions; i++) writers.push(await contender.writer(sessionAt(i)))
    let turn = 0
    return () => {
      const event = data.event()
      const write = writers[turn++ % sessions]
      return async () => write?.(event)
    }
  },
}
