import type { Key } from '../contender.ts'
import { listUser } from '../seed.ts'
import type { Sequential } from './workload.ts'

const turns = { rounds: 40, chunk: 4 }

export const listNewest = (
  id: string,
  title: string,
  user: Omit<Key, 'sessionId'>,
  withState: boolean,
): Sequential => ({
  id,
  title,
  ...turns,
  async begin(contender) {
    if (contender.list === undefined) return undefined
    return () => async () => {
      const found = await contender.list?.(user, 50, withState)
      if (found !== 50) throw new Error(`the list has ${found ?? 0} of 50 sessions`)
    }
  },
})

export const listWithState = listNewest('W4a', 'list the 50 newest of 5,000 sessions with their state', listUser, true)
export const listBare = listNewest('W4b', 'list the 50 newest of 5,000 sessions without their state', listUser, false)
