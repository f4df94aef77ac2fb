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

interface Lanes<T> {
  readonly lanes: number
  readonly isAlone: (item: T) => boolean
  /** What may take long begins early, so that nobody waits for it at the end. */
  readonly longest: (item: T) => number
}

/** What may run beside others does so, in lanes; then the rest, one by one. */
export async function besideThenAlone<T>(
  items: readonly T[],
  { lanes, isAlone, longest }: Lanes<T>,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const beside = items.filter((item) => !isAlone(item)).toSorted((a, b) => longest(b) - longest(a))
  await inLanes(beside, lanes, work)
  await inLanes(
    items.filter((item) => isAlone(item)),
    1,
    work,
  )
}
