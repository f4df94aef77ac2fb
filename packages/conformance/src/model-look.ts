import type { SessionKey, Store } from '@daybook/core'
import { equal } from './expect.ts'
import * as reducer from './model-state.ts'
import type { Model } from './model-state.ts'
import { poison } from './poison.ts'

type SharedKey = { readonly appName: string; readonly userId?: string }

/** What commands changed and nobody has compared with the model yet. Keys that several commands meet are read once. */
export interface Look {
  session(key: SessionKey): void
  shared(key: SharedKey): void
  /** At the end of a command: every so many commands, what they touched is compared. */
  passed(model: Model, store: Store): Promise<void>
  /** Compares what is left. */
  rest(model: Model, store: Store): Promise<void>
}

export function createLook(every: number): Look {
  const sessions = new Map<string, SessionKey>()
  const scopes = new Map<string, SharedKey>()
  let commands = 0
  async function rest(model: Model, store: Store): Promise<void> {
    const [keys, shared] = [[...sessions.values()], [...scopes.values()]]
    sessions.clear()
    scopes.clear()
    for (const key of keys) await sessionAgrees(model, store, key)
    for (const key of shared) await sharedAgrees(model, store, key)
  }
  return {
    session: (key) => void sessions.set(JSON.stringify([key.appName, key.userId, key.sessionId]), key),
    shared: (key) => void scopes.set(JSON.stringify([key.appName, key.userId]), key),
    rest,
    async passed(model, store) {
      commands += 1
      if (commands % every === 0) await rest(model, store)
    },
  }
}

/** The session as the model has it; what was answered is then spoilt, and read again. */
async function sessionAgrees(model: Model, store: Store, key: SessionKey): Promise<void> {
  const expected = reducer.sessionIn(model, key)
  for (const turn of ['', ', read again after the answer was spoilt']) {
    const got = await store.sessions.get(key, { events: 'all' })
    const seen = got && {
      state: got.state,
      revision: got.revision,
      lastSeq: got.lastSeq,
      events: got.events.map(({ seq, event }) => ({ seq, event })),
    }
    const want = expected && {
      state: reducer.merged(model, expected),
      revision: expected.revision,
      lastSeq: expected.events.length,
      events: expected.events.map(({ event }, i) => ({ seq: i + 1, event })),
    }
    equal(seen, want, `session ${JSON.stringify(key)}${turn}`)
    poison(got)
    if (got === undefined) return
  }
}

async function sharedAgrees(model: Model, store: Store, key: SharedKey): Promise<void> {
  const got = await store.state.get(
    key.userId === undefined ? { appName: key.appName } : { appName: key.appName, userId: key.userId },
  )
  equal(
    got && { state: got.state, revision: got.revision },
    reducer.sharedIn(model, key),
    `state of ${JSON.stringify(key)}`,
  )
}
