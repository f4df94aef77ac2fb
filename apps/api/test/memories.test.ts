import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { startApp } from './start.ts'

const ann = { appName: 'shop', userId: 'ann' }
const url = '/apps/shop/users/ann/memories'

async function started(): Promise<FastifyInstance> {
  const app = await startApp()
  await app.store.memories.add(ann, [
    { id: 'm1', text: 'Ann likes green tea', timestamp: 1, author: 'user', sessionId: 's1' },
    { id: 'm2', text: 'Tea is at five', timestamp: 2, metadata: { by: 'bot' } },
    { id: 'a/3', content: { parts: [{ text: 'Oslo is cold' }] }, timestamp: 3 },
  ])
  await app.store.memories.add({ appName: 'shop' }, { id: 'shared', text: 'green tea is sold out' })
  await app.store.memories.add({ ...ann, userId: 'bob' }, { id: 'm1', text: 'Bob likes green tea' })
  return app
}

const idsAt = async (app: FastifyInstance, query: string) =>
  (await app.inject(`${url}${query}`)).json().items.map(({ id }: { id: string }) => id)

describe('the memories of a user', () => {
  test('are listed, newest first, in pages', async () => {
    const app = await started()
    const { items, nextCursor } = (await app.inject(`${url}?limit=2`)).json()
    expect(items).toMatchObject([
      { id: 'a/3', content: { parts: [{ text: 'Oslo is cold' }] } },
      { id: 'm2', text: 'Tea is at five', metadata: { by: 'bot' }, timestamp: 2 },
    ])
    expect((await app.inject(`${url}?cursor=${nextCursor}`)).json()).toMatchObject({
      items: [{ id: 'm1', author: 'user', sessionId: 's1' }],
      nextCursor: null,
    })
  })

  test('are found by words, the best first', async () => {
    const app = await started()
    const found = (await app.inject(`${url}?query=${encodeURIComponent('TEA, or coffee?')}`)).json()
    expect(found).toMatchObject({ items: [{ id: 'm2' }, { id: 'm1' }], nextCursor: null })
    expect(await idsAt(app, '?query=green%20tea')).toEqual(['m1', 'm2'])
    expect(found.items[0].score).toBeCloseTo(1 / 3)
    expect(await idsAt(app, '?query=tea&limit=1')).toEqual(['m2'])
    expect(await idsAt(app, '?query=oslo')).toEqual(['a/3'])
    expect(await idsAt(app, '?query=')).toEqual([])
    expect(await idsAt(app, `?query=${encodeURIComponent(`"tea' OR *:`)}`)).toEqual(['m2', 'm1'])
  })

  test('are deleted one by one, and with their user', async () => {
    const app = await started()
    for (const id of ['m1', 'a/3', 'a/3']) {
      const { statusCode } = await app.inject({ method: 'DELETE', url: `${url}/${encodeURIComponent(id)}` })
      expect(statusCode).toBe(204)
    }
    expect(await idsAt(app, '')).toEqual(['m2'])
    const erased = await app.inject({ method: 'DELETE', url: '/apps/shop/users/ann' })
    expect(erased.json()).toMatchObject({ memories: 1 })
    expect(await idsAt(app, '')).toEqual([])
    expect(await app.store.memories.get({ ...ann, userId: 'bob' }, 'm1')).toBeDefined()
    expect(await app.store.memories.get({ appName: 'shop' }, 'shared')).toBeDefined()
  })

  test.each([
    ['?limit=x', 'limit'],
    ['?query=tea&cursor=x', 'cursor'],
    ['?query=tea&offset=1', 'offset'],
    ['?words=tea', 'words'],
    ['?query=a&query=b', 'query'],
  ])('refuse %s', async (query, field) => {
    const app = await startApp()
    expect((await app.inject(`${url}${query}`)).json()).toMatchObject({ status: 400, field })
  })
})
