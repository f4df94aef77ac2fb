import type { StoredDelta, Value } from '@daybook/drizzle'

// A delta merged into a document by `json_set` and `json_remove`: its text for a shape, and what it binds.

/** `json_set` takes 63 pairs on libSQL, whose parser has room for 22 calls inside each other in the deepest statement here. */
export const pairsPerCall = 60

/** How many keys are set and unset, each filled up to one of few numbers: a statement for every number would not stay prepared. */
export const shapeOf = ({ set, unset }: StoredDelta): string => `${filled(set.length)},${filled(unset.length)}`
export const isEmptyShape = (shape: string): boolean => shape === '0,0'

function filled(count: number): number {
  if (count <= 4) return count
  if (count > pairsPerCall) return Math.ceil(count / pairsPerCall) * pairsPerCall
  return Math.min(pairsPerCall, 2 ** Math.ceil(Math.log2(count)))
}

/** A document with a delta applied: `json_set` and `json_remove`, a bounded number of keys at a time. */
export function mergedText(document: string, shape: string): string {
  const [set = 0, unset = 0] = shape.split(',').map(Number)
  let text = document
  for (let left = unset; left > 0; left -= pairsPerCall)
    text = `json_remove(${text}${', ?'.repeat(Math.min(left, pairsPerCall))})`
  for (let left = set; left > 0; left -= pairsPerCall)
    text = `json_set(${text}${', ?, json(?)'.repeat(Math.min(left, pairsPerCall))})`
  return text
}

/** To set or unset a key a second time changes nothing: so a list is filled up. */
export function mergedValues({ set, unset }: StoredDelta): Value[] {
  const values: Value[] = []
  for (let i = 0, count = filled(unset.length); i < count; i++) {
    const key = unset[Math.min(i, unset.length - 1)] ?? ''
    values.push(pathOf(key))
  }
  for (let i = 0, count = filled(set.length); i < count; i++) {
    const [key, value] = set[Math.min(i, set.length - 1)] ?? ['', 'null']
    values.push(pathOf(key), value)
  }
  return values
}

export const isEmptyDelta = ({ set, unset }: StoredDelta): boolean => set.length + unset.length === 0

const plainKey = /^[\w:.-]*$/

/** The path of a top-level key. A quote inside the quoted label has to be written as an escape that SQLite decodes. */
const pathOf = (key: string): string => {
  if (plainKey.test(key)) return `$."${key}"`
  const label = JSON.stringify(key).slice(1, -1)
  return `$."${label.replace(/\\[\s\S]/g, (escape) => (escape === '\\"' ? String.raw`\u0022` : escape))}"`
}
