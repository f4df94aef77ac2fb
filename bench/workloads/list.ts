import { listUser } from '../seed.ts'
import type { Sequential } from './workload.ts'

const turns = { rounds: 40, chunk: 4 }

const list = (id: string, title: string, withState: boolean): Sequential => ({
  id,
  title,
  ...turns,
  async begin(contender) {
    if (contender.list === undefined) return undefined
    return () => async () => {
      const found = await contender.list?.(listUser, 50, withState)
      if (found !== 50) throw new Error(`the list has ${found ?? 0} of 50 sessions`)
    }
  },
})

export const listWithState = list('W4a', 'list the 50 newest of 5,000 sessions with their state', true)
export const listBare = list('W4b', 'list the 50 newest of 5,000 sessions without their state', false)
