import type { NewMetric, Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, present } from '../expect.ts'
import { cutBefore, cutIn } from './flt-cut.ts'
import { hit, nameOf, onLine, rehearse, statementAt } from './flt-line.ts'
import type { Write } from './flt-writes.ts'

const rowsOf = (appName: string): readonly NewMetric[] =>
  ['a', 'b', 'c'].map((model) => ({ appName, operationName: 'answer', model, startedAt: 1 }))

const named = (appName: string): readonly NewMetric[] =>
  rowsOf(appName).map((row, i) => ({ ...row, traceId: 't1', spanId: `p${i}` }))

/** Without what is of one app or made up. */
const look = async (store: Store, { appName }: { readonly appName: string }): Promise<unknown> => {
  const { items } = await store.metrics.query({ appName })
  return items.map(({ model, status }) => `${model} ${status}`).toSorted()
}

const record: Write = {
  name: 'metrics.record',
  before: async () => {},
  call: (store, { appName }, options) => store.metrics.record(named(appName), options),
  look,
}

/** A running row is deleted and inserted anew, together. */
const complete: Write = {
  ...record,
  name: 'metrics.record of an end',
  before: (store, { appName }) => store.metrics.record(named(appName).map((row) => ({ ...row, status: 'running' }))),
}

const replace: Write = {
  ...record,
  name: 'metrics.record that replaces',
  before: (store, { appName }) => store.metrics.record(named(appName).map((row) => ({ ...row, model: 'old' }))),
  call: (store, { appName }, options) => store.metrics.record(named(appName), { ...options, onDuplicate: 'replace' }),
}

const withoutIds: Write = {
  ...record,
  name: 'metrics.record without ids',
  call: (store, { appName }, options) => store.metrics.record(rowsOf(appName), options),
}

/** What is left of a batch is nothing or all of it; and an unknown one names the ids by which it can be repeated. */
export async function batchesAreCut(ctx: Ctx): Promise<void> {
  const writes = [record, complete, replace]
  await cutBefore(ctx, [complete, replace])
  await cutIn(ctx, writes)
  await onLine(ctx, async (line) => {
    const rehearsed = await rehearse(ctx, line, withoutIds)
    for (const damage of ['lost', 'unanswered'] as const) {
      const one = await hit(ctx, line, withoutIds, rehearsed, { ...statementAt(rehearsed, rehearsed.commit), damage })
      const { key, what } = one
      const error = present(one.error, `${what}: it fails`)
      equal(error.code, 'outcome_unknown', `${what}: ${nameOf(error)}`)
      const ids = present(error.facts.metricIds, `${what}: the error names them`)
      const again = rowsOf(key.appName).map((row, i) => ({ ...row, ...ids[i] }))
      const answer = await line.store.metrics.record(again)
      equal([answer.stored, answer.duplicates], damage === 'lost' ? [3, 0] : [0, 3], `${what}, repeated by them`)
      equal(await look(ctx.other, key), rehearsed.after, `${what}: each row is there exactly once`)
    }
  })
}
