import type { Health } from '@daybook/core'

/** What a server says about itself. */
export interface Server {
  readonly flavour: string
  readonly version: string
  readonly settings: Readonly<Record<string, string>>
  readonly warnings: readonly string[]
}

/** The connections of a store's pool, as far as the driver tells. */
export type PoolState = NonNullable<Health['pool']>
