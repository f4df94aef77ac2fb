export interface Spread {
  readonly n: number
  readonly p10: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
}

export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
  return { n: sorted.length, p10: at(0.1), p50: at(0.5), p90: at(0.9), p99: at(0.99) }
}

export const median = (numbers: readonly number[]): number => spreadOf(numbers).p50
