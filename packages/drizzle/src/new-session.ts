import { toMicros, type CreateRequest } from '@daybook/core'
import type { NewSession } from './dialect.ts'
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
