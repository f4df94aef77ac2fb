import { describe, expect, test } from 'vitest'
import {
  abilities,
  areasOf,
  capabilitiesWith,
  createCalls,
  createInMemoryStore,
  optionalAreas,
  storeContext,
  type Capabilities,
  type MemoryStore,
} from '@daybook/core'

const able: Capabilities = {
  ...createInMemoryStore().capabilities,
  ...Object.fromEntries(abilities.map((ability) => [ability, 'yes'])),
}

describe('the option areas', () => {
  test('is all of them when nothing is said, and those that it names otherwise', () => {
    expect([...storeContext().areas]).toEqual(optionalAreas)
    expect([...storeContext({ areas: ['metrics', 'metrics'] }).areas]).toEqual(['metrics'])
    expect([...storeContext({ areas: [] }).areas]).toEqual([])
  })

  test.for<[unknown, string]>([
    [['memory'], 'areas[0]'],
    [['metrics', 'sessions'], 'areas[1]'],
    [['metrics', undefined], 'areas[1]'],
    ['metrics', 'areas'],
    [null, 'areas'],
    [new Set(['metrics']), 'areas'],
  ])('%s is refused at opening, naming %s', ([areas, field]) => {
    expect(() => storeContext({ areas })).toThrow(
      expect.objectContaining({ code: 'invalid_argument', facts: { field } }),
    )
  })

  test('makes an area that is left out no, with the abilities that go with it, and nothing else', () => {
    expect(capabilitiesWith(able, new Set(['artifacts', 'metrics']))).toEqual({
      ...able,
      memories: 'no',
      fullTextSearch: 'no',
      vectorSearch: 'no',
    })
    expect(capabilitiesWith(able, new Set(optionalAreas))).toEqual(able)
    const some = createInMemoryStore({ areas: ['memories', 'metrics'] }).capabilities
    expect([some.memories, some.metrics], 'what a store does not have is no, named or not').toEqual(['yes', 'yes'])
  })

  test('keeps a built area from being called when it is left out', async () => {
    const calls = createCalls()
    const sent: string[] = []
    const method = (name: string) => async () => {
      sent.push(name)
      return undefined as never
    }
    const memories: MemoryStore = {
      add: method('add'),
      get: method('get'),
      list: method('list'),
      search: method('search'),
      delete: method('delete'),
    }
    const ann = { appName: 'shop', userId: 'ann' }
    await areasOf({ calls, areas: new Set(['memories']) }, { memories }).memories.add(ann, { text: 'x' })
    expect(sent).toEqual(['add'])
    const without = areasOf({ calls, areas: new Set(['metrics']) }, { memories })
    for (const call of [
      without.memories.add(ann, { text: 'x' }),
      without.memories.search(ann),
      without.memories.get(ann, '1'),
    ])
      await expect(call).rejects.toMatchObject({
        code: 'unsupported',
        facts: { capability: 'memories' },
      })
    await expect(without.metrics.record([]), 'named, and not built').rejects.toMatchObject({ code: 'unsupported' })
    expect(sent).toEqual(['add'])
    await calls.close()
    await expect(without.memories.delete(ann)).rejects.toMatchObject({ code: 'closed' })
  })
})
