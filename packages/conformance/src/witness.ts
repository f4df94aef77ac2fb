import { createHash } from 'node:crypto'
import type { Store } from '@daybook/core'
import { snapshot } from './fixtures.ts'

export const witnessApp = 'witness'

/**
 * A tenant that no check owns: a statement without its WHERE shows at the checks that ran when it was sent. It lives in the
 * place of all, and in one that has settings of its own; not in a fresh one, where checks are about what is not there yet.
 */
export async function seedWitness(store: Store): Promise<void> {
  for (const userId of ['w1', 'w2']) {
    const session = await store.sessions.create({
      appName: witnessApp,
      userId,
      sessionId: 's1',
      state: { own: userId, 'user:kept': 1, 'app:kept': 1 },
    })
    await store.events.append(session, [
      { id: 'e1', author: 'user', timestamp: 1_600_000_000_000, content: { parts: [{ text: 'witness' }] } },
      { id: 'e2', author: 'agent', timestamp: 1_600_000_000_001, actions: { stateDelta: { seen: true } } },
    ])
    if (store.capabilities.memories === 'yes')
      await store.memories.add({ appName: witnessApp, userId }, { id: 'm1', text: 'witness alpha', timestamp: 1 })
    if (store.capabilities.metrics === 'yes')
      await store.metrics.record([
        { appName: witnessApp, userId, traceId: userId, spanId: 'p1', operationName: 'witness', startedAt: 1 },
      ])
    if (store.capabilities.artifacts === 'yes')
      for (const name of ['a', 'user:a'])
        await store.artifacts.save({ ...session, name }, Buffer.from('witness'), { saveId: 'kept' })
  }
}

export const witnessChecksum = async (store: Store): Promise<string> =>
  createHash('sha256')
    .update(JSON.stringify(sorted(await snapshot(store, witnessApp))))
    .digest('hex')

/** Key order of state is not promised. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map((item) => sorted(item))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}

export interface WitnessWatch {
  begins(check: string): void
  /** Looks at the witness. If it is not as it was: the checks that may have changed it, of which this is one. */
  ends(check: string): Promise<readonly string[]>
}

/**
 * After every check the witness is looked at. Of several that ran at once nobody can say which one changed it, so all are
 * named that ran at some time between two looks.
 */
export function watchWitness(checksum: () => Promise<string>, seeded: string): WitnessWatch {
  let known = seeded
  const running = new Set<string>()
  let sinceLastLook = new Set<string>()
  let duringLook: Set<string> | undefined
  const accused = new Map<string, readonly string[]>()
  let current: Promise<void> = Promise.resolve()
  let next: Promise<void> | undefined

  async function look(): Promise<void> {
    next = undefined
    const suspects = sinceLastLook
    sinceLastLook = new Set(running)
    duringLook = suspects
    const seen = await checksum().catch((error: unknown) => `unreadable: ${String(error)}`)
    duringLook = undefined
    if (seen === known) return
    known = seen
    for (const check of suspects) accused.set(check, [...suspects])
  }

  return {
    begins(check) {
      running.add(check)
      sinceLastLook.add(check)
      duringLook?.add(check)
    },
    async ends(check) {
      running.delete(check)
      // One look serves all that end before it begins.
      next ??= current.then(look)
      current = next
      await next
      return accused.get(check) ?? []
    },
  }
}
