import { facts, type Ability, type Fact, type Store } from '@daybook/core'
import type { Mutant, MutantId } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'

/** The store with another declaration of one capability. */
function declaring(store: Store, fact: Ability | Fact, declared: 'yes' | 'no'): Store {
  const capabilities = { ...store.capabilities, [fact]: declared }
  return new Proxy(store, {
    get: (target, name) => (name === 'capabilities' ? capabilities : (Reflect.get(target, name, target) as unknown)), // get answers any
  })
}

const contrary = (store: Store, fact: Ability | Fact): Store =>
  declaring(store, fact, store.capabilities[fact] === 'yes' ? 'no' : 'yes')

/** Says that it is woken, and looks every now and then. */
const sleepyTail = (store: Store): Store =>
  declaring(
    wrapStore(store, {
      events: {
        async *tail(key, options) {
          for await (const stored of store.events.tail(key, options)) {
            await new Promise((resolve) => setTimeout(resolve, 400))
            yield stored
          }
        },
      },
    }),
    'liveNotify',
    'yes',
  )

/** Of facts that came when the numbers after the others were taken. */
const factIds: Partial<Record<Fact, MutantId>> = { nativeVectors: 'M439' }

/** A declaration that is not so, fact by fact. */
const contraryFacts: readonly Mutant[] = facts.map((fact, i) => {
  return {
    id: factIds[fact] ?? `M${60 + i}`,
    bug: `the contrary of the fact is declared: ${fact}`,
    check: `META-03@${fact}`,
    wrap: fact === 'liveNotify' ? sleepyTail : (store) => contrary(store, fact),
  }
})

/** Of an ability only a no can be told from what is so: a yes is shown by the checks that it opens. */
const hiddenAbilities: readonly Mutant[] = (
  ['lease', 'jsonPathFilter', 'jsonPathIndex', 'callerTransaction'] as const
).map((ability, i): Mutant => ({
  id: `M${380 + i}`,
  bug: `an ability that is there is declared absent: ${ability}`,
  check: `META-03@${ability}`,
  fact: ability,
  wrap: (store) => declaring(store, ability, 'no'),
}))

export const factMutants: readonly Mutant[] = [
  ...contraryFacts,
  ...hiddenAbilities,
  {
    id: 'M385',
    bug: 'a deep look at the health shows no settings',
    check: 'LIFE-14',
    wrap: (store) =>
      wrapStore(store, {
        health: async (options) => {
          const { settings: _settings, ...health } = await store.health(options)
          return health
        },
      }),
  },
]
