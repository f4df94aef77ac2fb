import { appName } from '../seed.ts'
import type { Sequential } from './workload.ts'

const users = 50

export const create: Sequential = {
  id: 'W1',
  title: 'create a session with 1.8 KB of state',
  rounds: 40,
  chunk: 5,
  async begin(contender, data) {
    let i = 0
    return () => {
      const key = { appName, userId: `creator-${i++ % users}`, sessionId: data.uuid() }
      const state = data.sessionState()
      return () => contender.create(key, state)
    }
  },
}
