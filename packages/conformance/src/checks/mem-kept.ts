import type { Store } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, holds, Inapplicable } from '../expect.ts'
import { nothingWritten, numbers } from '../fixtures.ts'
import { ann, foundBy, text } from './mem-fixtures.ts'

export async function keptAsGiven(ctx: Ctx): Promise<void> {
  const memory = {
    id: 'm1',
    content: {
      role: 'user',
      parts: [{ text: 'I live in \0 Oslo' }, { inlineData: { data: 'AAA=' } }],
      extra: [null, 1.5],
    },
    author: 'ann',
    timestamp: 1_700_000_000_000.125,
    metadata: { kind: 'fact', deep: { a: [1] } },
    sessionId: 's1',
    eventId: 'e1',
  }
  equal(
    await ctx.store.memories.add(ann(ctx), memory),
    { items: [{ id: 'm1', outcome: 'added' }], removed: 0 },
    'what add answers',
  )
  const { createdAt, updatedAt, ...got } = (await ctx.other.memories.get(ann(ctx), 'm1')) ?? {
    createdAt: 0,
    updatedAt: -1,
  }
  equal(got, { ...ann(ctx), ...memory }, 'the memory by get')
  holds(createdAt === updatedAt && createdAt > 0, 'times of a new memory', [createdAt, updatedAt])
  if (ctx.store.capabilities.fullTextSearch === 'yes') {
    const { items } = await ctx.other.memories.search({ ...ann(ctx), query: 'oslo' })
    equal(items, [{ ...got, createdAt, updatedAt, score: 1 }], 'the memory by search')
  }
  equal((await ctx.other.memories.list(ann(ctx))).items, [{ ...got, createdAt, updatedAt }], 'the memory by list')
  equal(await ctx.store.memories.get(ann(ctx), 'm2'), undefined, 'get of what is missing')
  const [plain] = (await ctx.store.memories.add(ann(ctx), { text: 'plain' })).items
  holds(/^[\da-f]{8}-[\da-f]{4}-7/.test(plain?.id ?? ''), 'a default id is a UUIDv7', plain)
}

export async function readAfterWrite(ctx: Ctx): Promise<void> {
  for (const i of numbers(10)) {
    await ctx.store.memories.add(ann(ctx), text(`m${i}`, `alpha n${i}`))
    equal(await foundBy(ctx.other, { ...ann(ctx), query: `n${i}` }), [`m${i}`], 'by the other open, at once')
    await ctx.other.memories.delete({ ...ann(ctx), id: `m${i}` })
    equal(await foundBy(ctx.store, { ...ann(ctx), query: 'alpha' }), [], 'and gone at once')
  }
}

export async function inTransaction(ctx: Ctx): Promise<void> {
  const transaction = ctx.need('transaction')
  if (ctx.store.capabilities.fullTextSearch === 'no') throw new Inapplicable('the ability has no method here')
  const stop = new Error('rolled back')
  await ctx.store.memories.add(ann(ctx), [text('old', 'alpha'), text('gone', 'alpha')])
  await nothingWritten(
    ctx,
    () =>
      transaction
        .run(ctx.store, async (joined) => {
          await joined.memories.add(ann(ctx), [text('new', 'alpha'), text('old', 'alpha beta')])
          await joined.memories.delete({ ...ann(ctx), id: 'gone' })
          equal(
            await foundBy(joined as Store, { ...ann(ctx), query: 'alpha beta' }), // only its memories are used
            ['old', 'new'],
            'inside, what the transaction itself wrote',
          )
          throw stop
        })
        .catch(() => {}),
    'a transaction that was rolled back',
  )
  equal(await foundBy(ctx.other, { ...ann(ctx), query: 'alpha beta' }), ['gone', 'old'], 'after the rollback')
  await transaction.run(ctx.store, async (joined) => {
    await joined.memories.add(ann(ctx), text('new', 'alpha'))
  })
  equal(await foundBy(ctx.other, { ...ann(ctx), query: 'alpha' }), ['gone', 'new', 'old'], 'after the commit')
}
