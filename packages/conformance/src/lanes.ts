/** Does the work of all items, taken in their order, so many at once. All of it is over when this settles. */
export async function inLanes<T>(
  items: readonly T[],
  lanes: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const queue = items.values() // one for all lanes
  const lane = async () => {
    for (const item of queue) await work(item)
  }
  const ended = await Promise.allSettled(Array.from({ length: lanes }, lane))
  const failed = ended.find((one) => one.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

export interface Lanes<T> {
  readonly lanes: number
  readonly isAlone: (item: T) => boolean
  /** Of those that are alone: a race wants all turns, and what waits takes hardly any, so that one of each may run at once. */
  readonly turns?: (item: T) => 'race' | 'waits' | undefined
  /** What may take long begins early, so that nobody waits for it at the end. */
  readonly longest: (item: T) => number
}

/** What may run beside others does so, in lanes; then the races beside what waits; then the rest, one by one. */
export async function besideThenAlone<T>(
  items: readonly T[],
  { lanes, isAlone, turns, longest }: Lanes<T>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const beside = items.filter((item) => !isAlone(item)).toSorted((a, b) => longest(b) - longest(a))
  const alone = (kind: ReturnType<NonNullable<typeof turns>>) =>
    items.filter((item) => isAlone(item) && turns?.(item) === kind)
  await inLanes(beside, lanes, work)
  await inLanes([alone('race'), alone('waits')], Math.min(lanes, 2), (group) => inLanes(group, 1, work))
  await inLanes(alone(undefined), 1, work)
}
