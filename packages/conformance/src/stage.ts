import type { Store } from '@daybook/core'
import type { Stage } from './context.ts'
import type { OpenOptions, StoreUnderTest } from './define.ts'
import { SubjectError } from './define.ts'
import { embeddingDimensions } from './fixtures.ts'
import { witnessApp } from './witness.ts'

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
