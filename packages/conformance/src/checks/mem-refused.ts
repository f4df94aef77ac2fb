import type { NewMemory } from '@daybook/core'
import type { Ctx } from '../context.ts'
import { rejects } from '../expect.ts'
import { keyOf, newSession, nothingWritten, say } from '../fixtures.ts'
import { ann } from './mem-fixtures.ts'

const bad = (value: unknown) => value as NewMemory // what the types forbid is what is tried

export async function badInput(ctx: Ctx): Promise<void> {
  const { memories: store } = ctx.store
  const long = 'x'.repeat(600)
  await newSession(ctx)
  await nothingWritten(
    ctx,
    async () => {
      for (const [entry, field] of [
        [{}, 'entries[1]'],
        [{ text: 1 }, 'entries[1].text'],
        [{ content: { a: Number.NaN } }, 'entries[1].content.a'],
        [{ text: 'x', timestamp: -1 }, 'entries[1].timestamp'],
        [{ text: 'x', id: '' }, 'entries[1].id'],
        [{ text: 'x', author: 5 }, 'entries[1].author'],
        [{ text: 'x', metadata: [] }, 'entries[1].metadata'],
        [{ text: 'x', words: [] }, 'entries[1].words'],
        [null, 'entries[1]'],
      ] as const)
        await rejects(
          () => store.add(ann(ctx), [{ text: 'fine' }, bad(entry)]),
          'invalid_argument',
          `an entry ${JSON.stringify(entry)}`,
          { field },
        )
      await rejects(
        () => store.add(ann(ctx), [{ text: 'fine' }, { text: 'x', id: long }]),
        'limit_exceeded',
        'a long id',
        { field: 'entries[1].id' },
      )
      await rejects(
        () => store.add(ann(ctx), { session: keyOf(ctx, 's1', 'bob') }),
        'invalid_argument',
        'a session of somebody else',
      )
      await rejects(
        () => store.add({ appName: ctx.app }, { session: keyOf(ctx) }),
        'invalid_argument',
        'a session for the app',
      )
      await rejects(() => store.add(ann(ctx), { session: keyOf(ctx, 'missing') }), 'not_found', 'a missing session')
      await rejects(() => store.add(ann(ctx), bad({ events: 'no' })), 'invalid_argument', 'events that are none')
      await rejects(
        () => store.add(ann(ctx), bad({ events: [say('e1'), { ...say('e2'), id: 7 }] })),
        'invalid_argument',
        'an event',
        { field: 'events[1].id' },
      )
      await rejects(() => store.delete(ann(ctx)), 'invalid_argument', 'a delete that names nothing')
      await rejects(
        () => store.delete({ ...ann(ctx), id: 'x', all: true }),
        'invalid_argument',
        'a delete of one and all',
      )
      await rejects(
        () => store.delete({ ...ann(ctx), everyScope: true, before: 5 }),
        'invalid_argument',
        'every scope of a user',
      )
      await rejects(() => store.search(ann(ctx)), 'invalid_argument', 'a search for nothing')
    },
    'refused calls',
  )
}
