import {
  optionalAreas,
  StoreError,
  unsupported,
  type ArtifactStore,
  type EventStore,
  type MemoryStore,
  type MetricStore,
  type SessionKey,
  type SessionStore,
  type StateStore,
} from '@daybook/core'
import type { Engine } from './create-store.ts'
import type { Tx } from './dialect.ts'
import { whole } from './joined-store.ts'
import { methodsOf } from './methods.ts'
import type { Operation } from './operation.ts'
import type { Script } from './script.ts'

/** A store inside a script: each method is a part of it, to be run with `yield*`. */
export interface ScriptStore {
  readonly sessions: Scripted<Omit<SessionStore, 'lease'>>
  readonly events: Scripted<Omit<EventStore, 'tail'>>
  readonly state: Scripted<StateStore>
  readonly memories: Scripted<MemoryStore>
  readonly metrics: Scripted<MetricStore>
  /** Bytes are saved and loaded as a whole: a script cannot wait for a stream. */
  readonly artifacts: Scripted<ArtifactStore>
}

type Scripted<Methods> = {
  readonly [M in keyof Methods]: Methods[M] extends (...args: infer Args) => Promise<infer Answer>
    ? (...args: Args) => Script<Answer>
    : never
}

interface ScriptJoined {
  readonly store: ScriptStore
  /** The sessions that got events: to be told once the transaction has committed. */
  readonly appendedTo: readonly SessionKey[]
  /** Refuses to commit a script that made a call and did not run it: it would be lost in silence. */
  readonly assertAllRun: () => void
  /** Closes the store: a generator that escaped the script must not write outside of it. */
  readonly end: () => void
}

export function scriptStore({ operations, ready, areas }: Engine, tx: Tx): ScriptJoined {
  let isOpen = true
  const appendedTo: SessionKey[] = []
  const idle = new Map<Script<unknown>, string>()
  function* run<T>(operation: Operation<T>, self: () => Script<unknown>): Script<T> {
    idle.delete(self())
    if (!isOpen) throw new StoreError('closed', `${operation.name}: the transaction of this store is over`)
    const left = optionalAreas.find((area) => operation.name.startsWith(`${area}.`) && !areas.has(area))
    if (left !== undefined) throw unsupported(left, left)
    const prepared = operation.prepare(operation.request())
    const answer = yield* whole(ready, tx, operation, prepared)
    if (prepared.appendsTo !== undefined) appendedTo.push(prepared.appendsTo)
    return answer
  }
  const perform = <T>(operation: Operation<T>): Script<T> => {
    const script: Script<T> = run(operation, () => script)
    idle.set(script, operation.name)
    return script
  }
  const asScripts = perform as unknown as <T>(operation: Operation<T>) => Promise<T> // only the container of the answer differs
  const { sessions, events, state, memories, metrics, artifacts } = methodsOf(operations, asScripts)
  return {
    store: { sessions, events, state, memories, metrics, artifacts } as unknown as ScriptStore, // as above: every Promise is a Script
    appendedTo,
    assertAllRun() {
      const [forgotten] = idle.values()
      if (forgotten === undefined) return
      throw new StoreError('invalid_argument', `${forgotten} was called in a script without yield*, so it never ran`, {
        field: forgotten,
      })
    },
    end() {
      isOpen = false
    },
  }
}
