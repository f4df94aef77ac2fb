import type { JoinedStore, Store } from '@daybook/core'

/** A method without its type parameters, as a wrapper sees it. */
type Plain<F> = F extends (...args: infer Args) => infer Answer ? (...args: Args) => Answer : F

export type Overrides = {
  readonly [Area in keyof Store]?: Store[Area] extends (...args: never[]) => unknown
    ? Plain<Store[Area]>
    : { readonly [Method in keyof Store[Area]]?: Plain<Store[Area][Method]> }
}

/** The store with some methods replaced. Everything else goes to the store itself, with `this` as it expects it. */
export function wrapStore<S extends JoinedStore>(store: S, overrides: Overrides): S {
  return proxied(store, overrides) as S // a proxy of a store with methods of the same types
}

function proxied(target: object, overrides: object): object {
  return new Proxy(target, {
    get(_target, name) {
      const value: unknown = Reflect.get(target, name, target)
      const override: unknown = Object.hasOwn(overrides, name) ? Reflect.get(overrides, name) : undefined
      if (typeof override === 'function') return override
      if (typeof value === 'function') return value.bind(target) as unknown // bind answers any
      return typeof override === 'object' && override !== null && typeof value === 'object' && value !== null
        ? proxied(value, override)
        : value
    },
  })
}

const areas = ['sessions', 'events', 'state', 'memories', 'artifacts', 'metrics'] as const

/** The store, with the name of each method written into `called` when it is called. */
export function recordCalls(store: Store, called: Set<string>): Store {
  const record = (target: object, prefix: string): object =>
    new Proxy(target, {
      get(_target, name) {
        const value: unknown = Reflect.get(target, name, target)
        if (typeof name === 'string' && typeof value === 'function') called.add(`${prefix}${name}`)
        if (typeof value === 'function') return value.bind(target) as unknown // bind answers any
        if (prefix === '' && areas.some((area) => area === name) && typeof value === 'object' && value !== null)
          return record(value, `${String(name)}.`)
        return value
      },
    })
  return record(store, '') as Store // the same members
}
