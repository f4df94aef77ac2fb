import type { FoundMemory, MemoryQuery, MemoryScope } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { equal, rejects } from '../expect.ts'
import { ann, text } from './mem-fixtures.ts'

export async function scoped(ctx: Ctx): Promise<void> {
  const elsewhere = `${ctx.app}-b`
  const scopes: readonly MemoryScope[] = [
    ann(ctx),
    { appName: ctx.app, userId: 'bob' },
    { appName: ctx.app, userId: 'ANN' },
    { appName: ctx.app, userId: 'ann ' },
    { appName: ctx.app },
    { appName: elsewhere, userId: 'ann' },
    { appName: elsewhere },
  ]
  for (const [i, scope] of scopes.entries())
    await ctx.store.memories.add(scope, [text('m1', `secret number ${i}`), text(`own${i}`, 'secret')])
  const seen = async (query: MemoryQuery) => (await ctx.other.memories.search(query)).items.map(nameOf)
  const query = 'secret'
  const mine = [`${ctx.app}/ann/m1`, `${ctx.app}/ann/own0`]
  const shared = [`${ctx.app}//m1`, `${ctx.app}//own4`]
  equal(await seen({ ...ann(ctx), query, scope: 'user' }), mine, 'the user’s alone')
  equal(
    await seen({ ...ann(ctx), query }),
    [shared[0], mine[0], mine[1], shared[1]],
    'the user’s and the app’s; of one id the app’s comes first',
  )
  equal(await seen({ appName: ctx.app, query }), shared, 'the app’s alone')
  equal(
    await seen({ appName: elsewhere, userId: 'eve', query }),
    [`${elsewhere}//m1`, `${elsewhere}//own6`],
    'a user without any',
  )
  equal(await seen({ appName: `${ctx.app}-c`, userId: 'ann', query }), [], 'an app without any')
  for (const [i, scope] of scopes.entries()) {
    equal((await ctx.other.memories.get(scope, 'm1'))?.text, `secret number ${i}`, `get of ${i}`)
    equal(
      (await ctx.other.memories.list(scope)).items.map(({ id }) => id),
      ['m1', `own${i}`],
      `list of ${i}`,
    )
    equal(await ctx.other.memories.get(scope, `own${(i + 1) % scopes.length}`), undefined, `get across ${i}`)
  }
  await rejects(
    () => ctx.store.memories.search({ appName: ctx.app, query, scope: 'user' }),
    'invalid_argument',
    'scope user without a user',
  )
  await rejects(
    () => ctx.store.memories.search({ appName: ctx.app, userId: '', query }),
    'invalid_argument',
    'an empty user',
  )
}

const nameOf = ({ appName, userId = '', id }: FoundMemory) => `${appName}/${userId}/${id}`
