/** One append as its caller saw it. `ended` is absent when no answer came. */
export interface AppendRecord {
  readonly by: string
  readonly id: string
  readonly seq: number
  readonly began: number
  readonly ended: number
}

/** One read of the whole list as its caller saw it. */
export interface ReadRecord {
  readonly by: string
  readonly ids: readonly string[]
  readonly seqs: readonly number[]
  readonly began: number
  readonly ended: number
}

export interface History {
  readonly appends: readonly AppendRecord[]
  /** Appends of which it is not known whether they happened. */
  readonly unknown?: readonly string[]
  readonly reads: readonly ReadRecord[]
  /** The list at the end, when all was quiet. */
  readonly final: { readonly ids: readonly string[]; readonly seqs: readonly number[] }
}

type AnomalyKind = 'lost' | 'duplicate' | 'phantom' | 'gap' | 'reordered' | 'stale' | 'non-monotonic'

export interface Anomaly {
  readonly kind: AnomalyKind
  readonly detail: string
}

/** Checks a history of one log: acknowledged appends are there once, at the `seq` that was answered, in real-time order. */
export function anomaliesOf({ appends, unknown = [], reads, final }: History): Anomaly[] {
  return [
    ...membership(appends, unknown, final),
    ...gaps(final.seqs, 'the end'),
    ...realTime(appends),
    ...readsOf(appends, reads, final.ids),
  ]
}

const shown = ({ by, id, seq, began, ended }: AppendRecord) => `${id} (seq ${seq}, ${by}, ${began}–${ended} µs)`

function membership(appends: readonly AppendRecord[], unknown: readonly string[], final: History['final']): Anomaly[] {
  const found: Anomaly[] = []
  const positions = new Map<string, number[]>()
  final.ids.forEach((id, i) => positions.set(id, [...(positions.get(id) ?? []), final.seqs[i] ?? -1]))
  const known = new Set([...unknown, ...appends.map(({ id }) => id)])
  for (const append of appends) {
    const at = positions.get(append.id) ?? []
    if (at.length === 0) found.push({ kind: 'lost', detail: `${shown(append)} was acknowledged and is not there` })
    else if (!at.includes(append.seq))
      found.push({ kind: 'reordered', detail: `${shown(append)} is at seq ${at.join(', ')}` })
  }
  for (const [id, at] of positions) {
    if (at.length > 1) found.push({ kind: 'duplicate', detail: `${id} is there at seq ${at.join(', ')}` })
    if (!known.has(id)) found.push({ kind: 'phantom', detail: `${id} was never appended` })
  }
  return found
}

function gaps(seqs: readonly number[], where: string): Anomaly[] {
  const at = seqs.findIndex((seq, i) => seq !== i + 1)
  return at === -1 ? [] : [{ kind: 'gap', detail: `at ${where}, position ${at + 1} has seq ${seqs[at] ?? 'none'}` }]
}

/** An append that began after another had been acknowledged comes after it. */
function realTime(appends: readonly AppendRecord[]): Anomaly[] {
  const byEnd = appends.toSorted((a, b) => a.ended - b.ended)
  const byBegin = appends.toSorted((a, b) => a.began - b.began)
  const found: Anomaly[] = []
  let next = 0
  let highest: AppendRecord | undefined
  for (const append of byBegin) {
    for (let done = byEnd[next]; done !== undefined && done.ended < append.began; done = byEnd[(next += 1)]) {
      if (highest === undefined || done.seq > highest.seq) highest = done
    }
    if (highest !== undefined && highest.seq >= append.seq)
      found.push({ kind: 'reordered', detail: `${shown(append)} began after ${shown(highest)} had ended` })
  }
  return found
}

function readsOf(
  appends: readonly AppendRecord[],
  reads: readonly ReadRecord[],
  finalIds: readonly string[],
): Anomaly[] {
  const found: Anomaly[] = []
  const longest = new Map<string, { length: number; ended: number }>()
  const ordered = reads.toSorted((a, b) => a.began - b.began)
  const byEnd = appends.toSorted((a, b) => a.ended - b.ended)
  for (const { by, ids, seqs, began, ended } of ordered) {
    found.push(...gaps(seqs, `a read by ${by}`))
    if (ids.some((id, i) => finalIds[i] !== id))
      found.push({ kind: 'phantom', detail: `a read by ${by} is not a prefix of the end` })
    const owed = byEnd.filter((append) => append.ended < began).reduce((most, { seq }) => Math.max(most, seq), 0)
    if (ids.length < owed)
      found.push({
        kind: 'stale',
        detail: `a read by ${by} at ${began} µs has ${ids.length} events, ${owed} were acknowledged`,
      })
    const before = longest.get(by)
    if (before !== undefined && before.ended < began && ids.length < before.length) {
      found.push({ kind: 'non-monotonic', detail: `${by} read ${before.length} events, then ${ids.length}` })
    }
    longest.set(by, { length: Math.max(ids.length, before?.length ?? 0), ended })
  }
  return found
}
