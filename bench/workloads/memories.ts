import { memoryUser } from '../seed.ts'
import type { Sequential } from './workload.ts'

export const addMemories: Sequential = {
  id: 'W8-add',
  title: 'add 100 memories of 170 characters in one call',
  rounds: 20,
  chunk: 1,
  isForSome: true,
  async begin({ memories }, data) {
    if (memories === undefined) return undefined
    return () => {
      const texts = Array.from({ length: 100 }, () => data.memory())
      return () => memories.add(memoryUser, texts)
    }
  },
}

export const searchMemories = (count: number): Sequential => ({
  id: 'W8-search',
  title: `find the 20 best of ${count.toLocaleString('en')} memories of one user that have one of two words, some ${(count / 50).toLocaleString('en')}`,
  rounds: 30,
  chunk: 3,
  isForSome: true,
  async begin({ memories }, data) {
    if (memories === undefined) return undefined
    return () => {
      const query = data.query()
      return () => memories.search(memoryUser, query, 20)
    }
  },
})
