import { describe, expect, test } from 'vitest'
import { takeBlocks, takeTurns } from '../bench/procedure.ts'
import { spreadOf } from '../bench/statistics.ts'
import { goalsPage, runsIn, summaryOf, withSummary } from '../bench/summary.ts'
import { read, root } from './workspace.ts'

describe('a bench run', () => {
  test('lets the contenders take turns, the other way round in every other round, and forgets the warm-up', async () => {
    const asked: string[] = []
    const runners = ['a', 'b'].map((name) => ({ name, prepare: () => async () => void asked.push(name) }))
    const measured = await takeTurns(runners, { rounds: 2, chunk: 2, warmUps: 1, budget: 1000 })
    expect(asked.join('')).toBe(['bbaa', 'aabb', 'bbaa'].join(''))
    expect([...measured].map(([name, { samples, errors }]) => [name, samples.length, errors])).toEqual([
      ['a', 4, 0],
      ['b', 4, 0],
    ])
  })

  test('counts what failed, shows one of it, and takes no time of it', async () => {
    let asked = 0
    const fail = async () => {
      if (asked++ % 2 === 0) throw new RangeError('no')
    }
    const runner = { name: 'a', prepare: () => fail }
    const measured = await takeTurns([runner], { rounds: 5, chunk: 2, warmUps: 0, budget: 1000 })
    expect(measured.get('a')).toMatchObject({ errors: 5, error: 'RangeError: no' })
    expect(measured.get('a')?.samples).toHaveLength(5)
  })

  test('has a rate for each block of many at once', async () => {
    const workers = Array.from({ length: 3 }, () => () => async () => {})
    const measured = await takeBlocks([{ name: 'a', workers }], { blocks: 2, length: 5, warmUp: 1 })
    expect(measured.get('a')?.rates).toHaveLength(2)
  })

  test('tells percentiles', () => {
    const samples = Array.from({ length: 100 }, (_, i) => 100 - i)
    expect(spreadOf(samples)).toEqual({ n: 100, p10: 11, p50: 51, p90: 91, p99: 100 })
  })

  test('takes what the repository has in the versions that it has, by links', () => {
    const { dependencies } = JSON.parse(read('bench/package.json')) as { dependencies: Record<string, string> } // a package.json
    const catalog = new Set(
      [...read('pnpm-workspace.yaml').matchAll(/^ {2}'?([@\w/-]+)'?: ([\d.]+)$/gm)].map(
        (match) => `${match[1]}@${match[2]}`,
      ),
    )
    const named = new Set([...catalog].map((entry) => entry.slice(0, entry.lastIndexOf('@'))))
    const stray = Object.entries(dependencies).filter(
      ([name, range]) => !range.startsWith('link:') && named.has(name) && !catalog.has(`${name}@${range}`),
    )
    expect(stray).toEqual([])
  })

  test('is what the README and the list of goals say', () => {
    const runs = runsIn(`${root}bench/results`)
    expect(withSummary(read('README.md'), summaryOf(runs))).toBe(read('README.md'))
    expect(goalsPage(runs)).toBe(read('bench/results/README.md'))
  })
})
