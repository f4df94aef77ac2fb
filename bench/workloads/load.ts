import { longSession } from '../seed.ts'
import type { Sequential } from './workload.ts'

export const load: Sequential = {
  id: 'W3',
  title: 'load a session with its merged state and the newest 50 of 500 events',
  rounds: 40,
  chunk: 5,
  begin: async (contender) => () => () => contender.load(longSession, 50),
}
