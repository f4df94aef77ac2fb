import { facts, type Fact, type Store } from '@daybook/core'
import type { Mutant, MutantId } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'

/** The store with another declaration of one fact. */
function declaring(store: Store, fact: Fact, declared: 'yes' | 'no'): Store {
  const capabilities = { ...store.capabilities, [fact]: declared }
  return new Proxy(store, {
    get: (target, name) => (name === 'capabilities' ? capabilities : (Reflect.get(target, name, target) as unknown)), // get answers any
  })
}

const contrary = (store: Store, fact: Fact): Store =>
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

/** A declaration that is not so, fact by fact. */
export const factMutants: readonly Mutant[] = facts.map((fact, i) => {
  const id: MutantId = `M${60 + i}`
  return {
    id,
    bug: `the contrary of the fact is declared: ${fact}`,
    check: `META-03@${fact}`,
    wrap: fact === 'liveNotify' ? sleepyTail : (store) => contrary(store, fact),
  }
})
