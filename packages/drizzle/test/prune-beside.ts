import type { Store } from '@daybook/core'
import { step } from '@daybook/drizzle'
import { overVerbs, textOf, type DialectPatch } from './dialect-patch.ts'

const row = { appName: 'shop', traceId: 't1', operationName: 'answer' }

/** A prune has looked at a trace when somebody else records a young row of it: the spans that are left of that trace. */
export async function leftByPrune(
  other: Store,
  open: (patch: DialectPatch) => Promise<Store>,
): Promise<readonly string[]> {
  await other.metrics.record([{ ...row, spanId: 'old', startedAt: 1 }])
  const patch = overVerbs((tx) => ({
    ...tx,
    *change(statement, params) {
      if (/^\s*delete/i.test(textOf(statement.sql)))
        yield* step(() => other.metrics.record([{ ...row, spanId: 'young', startedAt: 2000 }]))
      return yield* tx.change(statement, params)
    },
  }))
  const store = await open(patch)
  await store.metrics.prune({ appName: 'shop', before: 1000 })
  const { items } = await other.metrics.query({ appName: 'shop' })
  return items.map(({ spanId }) => spanId)
}
