/** Lets those who have the same name through one after another, in the order in which they came. */
export function createLine(): (name: string) => Promise<() => void> {
  const last = new Map<string, Promise<void>>()
  return async (name) => {
    const before = last.get(name)
    let leave: (() => void) | undefined
    const over = new Promise<void>((resolve) => {
      leave = resolve
    })
    last.set(name, over)
    await before
    return () => {
      if (last.get(name) === over) last.delete(name)
      leave?.()
    }
  }
}
