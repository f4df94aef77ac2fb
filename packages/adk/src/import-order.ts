import { isJsonObject, type JsonObject, type JsonValue } from '@daybook/core'

/** What the order of an event is decided by. */
export interface Orderable {
  readonly id: string
  readonly timestamp: number
  /** Names of the function calls that it makes, and of those that it answers. */
  readonly calls: readonly string[]
  readonly answers: readonly string[]
}

const none: readonly string[] = []

/** `Map.groupBy`, which Node 20 does not have. */
export function groupedBy<T, K>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>()
  for (const item of items) {
    const group = groups.get(keyOf(item))
    if (group === undefined) groups.set(keyOf(item), [item])
    else group.push(item)
  }
  return groups
}

export function orderableOf(id: string, timestamp: number, event: JsonObject): Orderable {
  const content = event['content']
  const parts = isJsonObject(content) && Array.isArray(content['parts']) ? content['parts'] : []
  const calls = namesOf(parts, 'functionCall')
  return { id, timestamp, calls, answers: namesOf(parts, 'functionResponse') }
}

function namesOf(parts: readonly JsonValue[], member: string): readonly string[] {
  const found: string[] = []
  for (const part of parts) {
    const one = isJsonObject(part) ? part[member] : undefined
    if (!isJsonObject(one)) continue
    const { id, name } = one
    if (typeof id === 'string') found.push(`id ${id}`)
    else if (typeof name === 'string') found.push(`name ${name}`)
  }
  return found.length === 0 ? none : found
}

/**
 * The order in which the events were most likely appended: by time; those of one time a function call before what answers
 * it, then by id. The same for the same events, in whatever order they come.
 */
export function inOrder<T extends Orderable>(
  events: readonly T[],
): { readonly events: readonly T[]; readonly tied: boolean } {
  const groups = groupedBy(events, ({ timestamp }) => timestamp)
  const times = [...groups.keys()].toSorted((a, b) => a - b)
  return {
    events: times.flatMap((time) => tiedInOrder(groups.get(time) ?? [])),
    tied: groups.size < events.length,
  }
}

function tiedInOrder<T extends Orderable>(events: readonly T[]): readonly T[] {
  if (events.length === 1) return events
  const callers = new Map<string, T>()
  for (const event of events) for (const call of event.calls) callers.set(call, event)
  const levels = new Map<T, number>()
  /** How many calls and answers led here. One that would have to be before itself is taken for the first. */
  const levelOf = (event: T): number => {
    const known = levels.get(event)
    if (known !== undefined) return known
    levels.set(event, 0)
    const before = event.answers.map((answer) => callers.get(answer)).filter((caller) => caller !== undefined)
    const level = before.length === 0 ? 0 : 1 + Math.max(...before.map((caller) => levelOf(caller)))
    levels.set(event, level)
    return level
  }
  return events.toSorted((a, b) => levelOf(a) - levelOf(b) || (a.id < b.id ? -1 : Number(a.id > b.id)))
}
