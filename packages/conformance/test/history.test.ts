import { expect, test } from 'vitest'
import { anomaliesOf, type AppendRecord, type History } from '../src/history.ts'

const append = (id: string, seq: number, began: number, ended: number): AppendRecord => ({
  by: 'w',
  id,
  seq,
  began,
  ended,
})
const good: History = {
  appends: [append('a', 1, 0, 10), append('b', 2, 20, 30), append('c', 3, 25, 40)],
  reads: [
    { by: 'r', ids: ['a'], seqs: [1], began: 12, ended: 14 },
    { by: 'r', ids: ['a', 'b', 'c'], seqs: [1, 2, 3], began: 41, ended: 44 },
  ],
  final: { ids: ['a', 'b', 'c'], seqs: [1, 2, 3] },
}

test('a good history has no anomaly', () => {
  expect(anomaliesOf(good)).toEqual([])
})

const injected: readonly (readonly [string, History])[] = [
  ['lost', { ...good, reads: [], final: { ids: ['a', 'b'], seqs: [1, 2] } }],
  ['duplicate', { ...good, reads: [], final: { ids: ['a', 'b', 'c', 'c'], seqs: [1, 2, 3, 4] } }],
  ['phantom', { ...good, final: { ids: ['a', 'b', 'c', 'x'], seqs: [1, 2, 3, 4] } }],
  [
    'gap',
    {
      ...good,
      reads: [],
      appends: [append('a', 1, 0, 10), append('b', 3, 20, 30)],
      final: { ids: ['a', 'b'], seqs: [1, 3] },
    },
  ],
  [
    'reordered',
    {
      ...good,
      reads: [],
      appends: [append('a', 2, 0, 10), append('b', 1, 20, 30)],
      final: { ids: ['b', 'a'], seqs: [1, 2] },
    },
  ],
  ['stale', { ...good, reads: [{ by: 'r', ids: ['a'], seqs: [1], began: 50, ended: 51 }] }],
  [
    'non-monotonic',
    {
      ...good,
      appends: [append('a', 1, 0, 10), append('b', 2, 5, 90)],
      final: { ids: ['a', 'b'], seqs: [1, 2] },
      reads: [
        { by: 'r', ids: ['a', 'b'], seqs: [1, 2], began: 12, ended: 14 },
        { by: 'r', ids: ['a'], seqs: [1], began: 20, ended: 22 },
      ],
    },
  ],
]

test.each(injected)('an injected anomaly is named: %s', (kind, history) => {
  expect(anomaliesOf(history).map((one) => one.kind)).toContain(kind)
})
