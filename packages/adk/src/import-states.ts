import { isStoreError, jsonEquals, stateUpdateRequest, type JsonObject, type StateKey } from '@daybook/core'
import { refusalFor, signalOf, type ImportJob } from './import-job.ts'
import type { NotTaken } from './import-report.ts'
import { jsonObject, type SourceState } from './sources/layout.ts'

export interface StateResult {
  readonly taken: boolean
  readonly written: boolean
}

const left: StateResult = { taken: false, written: false }

/** Puts the document of a user or an app into the store, unless the store has one. */
export async function importState(job: ImportJob, { key, text }: SourceState): Promise<StateResult> {
  const what = key.userId === undefined ? 'app state' : 'user state'
  const leave = (reason: NotTaken['reason'], detail: string) => {
    job.leave({ what, appName: key.appName, ...(key.userId !== undefined && { userId: key.userId }), reason, detail })
    return left
  }
  let state: JsonObject
  try {
    state = job.reader.layout.scopeState(jsonObject(text, 'state'))
  } catch {
    return leave('unreadable', 'it is no JSON object')
  }
  try {
    stateUpdateRequest(key, { replace: state }, undefined, { limits: job.store.limits, now: Date.now })
  } catch (error) {
    const { reason, detail } = refusalFor(error)
    return leave(reason, detail)
  }
  const compared = await compare(job, key, state)
  if (compared === 'same') return { taken: true, written: false }
  if (compared === 'different') return leave('different', 'the store has another one')
  if (job.dryRun) return { taken: true, written: true }
  try {
    await job.store.state.update(key, { replace: state }, { expectedRevision: 0, ...signalOf(job) })
    return { taken: true, written: true }
  } catch (error) {
    if (!isStoreError(error) || error.code !== 'conflict') throw error
    // Somebody wrote it since: another import, or not.
    return (await compare(job, key, state)) === 'same'
      ? { taken: true, written: false }
      : leave('different', 'the store has another one')
  }
}

async function compare(job: ImportJob, key: StateKey, state: JsonObject): Promise<'same' | 'different' | 'none'> {
  const found = await job.store.state.get(key, signalOf(job))
  if (jsonEquals((found?.state ?? {}) as JsonObject, state)) return 'same' // the store answers JSON
  return found === undefined || found.revision === 0 ? 'none' : 'different'
}
