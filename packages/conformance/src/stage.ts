import { createHash } from 'node:crypto'
import type { Store } from '@daybook/core'
import type { Stage } from './context.ts'
import type { OpenOptions, StoreUnderTest } from './define.ts'
import { SubjectError } from './define.ts'
import { embeddingDimensions, snapshot } from './fixtures.ts'

const witnessApp = 'witness'

export interface OpenStage extends Stage {
  end(): Promise<void>
}

type Wrap = (store: Store, options: OpenOptions) => Store

const asItIs: Wrap = (store) => store

interface StageOptions {
  readonly migrated?: boolean
  readonly wrap?: Wrap
  readonly ownServer?: true | undefined
  readonly settings?: 'hostile' | undefined
}

/** A place with two opens, each warmed by a read: a cold pair hides every race. */
export async function openStage(
  subject: StoreUnderTest,
  id: string,
  { migrated = true, wrap = asItIs, ownServer, settings }: StageOptions = {},
): Promise<OpenStage> {
  const place = await subject.provision({
    id,
    ...(ownServer === true && { ownServer }),
    ...(settings !== undefined && { settings }),
  })
  const opened: Store[] = []
  const end = async () => {
    await Promise.allSettled(opened.map((store) => store.close()))
    await place.destroy()
  }
  try {
    for (const turn of [0, 1]) {
      const store = await place.open({ embeddingDimensions })
      if (typeof store?.close !== 'function') throw new SubjectError('open() did not answer a store')
      opened.push(store)
      if (migrated && turn === 0) await store.migrate()
      if (migrated) await store.sessions.get({ appName: witnessApp, userId: 'w1', sessionId: 'warm' })
    }
    const [store, other] = opened
    if (store === undefined || other === undefined) throw new SubjectError('open() did not answer a store')
    return { subject, place, store: wrap(store, {}), other: wrap(other, {}), wrap, end }
  } catch (error) {
    await end()
    throw error
  }
}

/** A tenant that no check owns: a statement without its WHERE shows at the check that sent it. */
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
    if (store.capabilities.artifacts === 'yes')
      for (const name of ['a', 'user:a'])
        await store.artifacts.save({ ...session, name }, Buffer.from('witness'), { saveId: 'kept' })
  }
}

export async function witnessChecksum(store: Store): Promise<string> {
  return createHash('sha256')
    .update(JSON.stringify(sorted(await snapshot(store, witnessApp))))
    .digest('hex')
}

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
