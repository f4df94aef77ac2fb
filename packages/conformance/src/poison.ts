/** Spoils an answer in every place, so that a store that kept a reference to it shows. */
export function poison(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null || depth > 8) return
  for (const key of Object.keys(value)) {
    poison(Reflect.get(value, key), depth + 1)
    // Reflect does not throw where an answer is frozen.
    Reflect.set(value, key, 'poisoned')
  }
  if (Array.isArray(value)) value.length = 0
  else Reflect.set(value, 'poisoned', true)
}
