import { byteLength, toMicros, warnOfLargeState, type CreateRequest, type Logger } from '@daybook/core'
import type { NewSession, Row } from './dialect.ts'
import type { Parts } from './operation.ts'
import { compactMark, isCompact } from './stored-form.ts'

/** A session in storable form; `undefined` where the database would count too little of what its states become. */
export function newSession(
  { key, deltas, initialState, createdAt }: CreateRequest,
  now: bigint,
  { form, limits }: Pick<Parts, 'form' | 'limits'>,
): NewSession | undefined {
  const { appName, userId } = key
  const stored = { user: form.delta(deltas.user, { appName, userId }), app: form.delta(deltas.app, { appName }) }
  if (isCompact(stored.user) || isCompact(stored.app)) return undefined
  const state = form.state(deltas.session.set, key)
  return {
    key,
    state,
    initialState: initialState === deltas.session.set ? state : form.state(initialState, key),
    deltas: stored,
    createdAt: createdAt === undefined ? now : toMicros(createdAt),
    now,
    limits,
    compactMark: form.isEncoded ? compactMark : undefined,
  }
}

/** @param states what the session sees besides its own state, where it changed that */
export function warnOfLarge({ state, deltas }: NewSession, states: Row, logger: Logger | undefined): void {
  if (logger === undefined) return
  warnOfLargeState(byteLength(state), 'session state', logger)
  for (const scope of ['user', 'app'] as const) {
    const text = states[`${scope}State`]
    if (deltas[scope].set.length > 0 && typeof text === 'string')
      warnOfLargeState(byteLength(text), `${scope} state`, logger)
  }
}
