import type { Append, Contender, Key } from './contender.ts'
import { createData, type Data } from './data.ts'
import type { Sizes } from './result.ts'

export const appName = 'bench'
export const listUser = { appName, userId: 'ulist' }
export const longSession: Key = { appName, userId: 'ulong', sessionId: 'long' }
export const memoryUser = { appName, userId: 'umemories' }
export const hotSession: Key = { appName, userId: 'uhot', sessionId: 'hot' }
export const sessionAt = (i: number): Key => ({ appName, userId: `u${i}`, sessionId: `s${i}` })

const firstUpdate = Date.UTC(2026, 0, 1)
const atOnce = 10
const memoriesOfCall = 500

/** Puts in what the workloads expect. Untimed. */
export async function seed(contender: Contender, sizes: Sizes, seedNumber: number): Promise<void> {
  const data = createData(seedNumber)
  const listed = Array.from({ length: sizes.listed }, (_, i) => ({
    ...listUser,
    sessionId: `list-${String(i).padStart(5, '0')}`,
    state: data.sessionState(),
    updatedAt: firstUpdate + i * 1000,
  }))
  if (contender.seedSessions !== undefined) await contender.seedSessions(listed)
  else if (contender.list !== undefined) {
    const waiting = listed.values()
    // Alone: there are stores where two that make a user's first session at once fail.
    for (const { state, ...key } of listed.slice(0, 1)) await contender.create(key, state)
    waiting.next()
    await Promise.all(
      Array.from({ length: atOnce }, async () => {
        for (const { state, ...key } of waiting) await contender.create(key, state)
      }),
    )
  }
  await fill(contender, longSession, sizes.long, data)
  await fill(contender, hotSession, sizes.eventsEach, data)
  for (let i = 0; i < sizes.sessions; i++) await fill(contender, sessionAt(i), sizes.eventsEach, data)
}

/** What is searched. Untimed. */
export async function seedMemories({ memories }: Contender, count: number, seedNumber: number): Promise<void> {
  if (memories === undefined) return
  const data = createData(seedNumber)
  for (let made = 0; made < count; made += memoriesOfCall) {
    const length = Math.min(memoriesOfCall, count - made)
    await memories.add(
      memoryUser,
      Array.from({ length }, () => data.memory()),
    )
  }
}

/** A session with so many events. */
export async function fill(contender: Contender, key: Key, events: number, data: Data): Promise<void> {
  await contender.create(key, data.sessionState())
  const append: Append = await contender.writer(key)
  for (let i = 0; i < events; i++) await append(data.event())
}
