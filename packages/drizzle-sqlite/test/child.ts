// Another process: opens the same file, and does what it is told.
import type { SessionKey, Store } from '@daybook/core'
import { createClient, type Transaction } from '@libsql/client'
import { openFile, type OpenArgs } from './drivers.ts'

export interface Command {
  readonly id: number
  readonly name: keyof Tasks
  readonly args: readonly unknown[]
}

let store: Store | undefined
let held: Transaction | undefined

const opened = (): Store => {
  if (store === undefined) throw new Error('open first')
  return store
}

export const tasks = {
  async open({ driver, path }: OpenArgs) {
    store = await openFile[driver](path)
  },
  async migrate() {
    return (await opened().migrate()).applied
  },
  /** Takes the writer's lock and keeps it. */
  async hold(path: string) {
    held = await createClient({ url: `file:${path}`, timeout: 5_000 }).transaction('write')
  },
  async release() {
    await held?.rollback()
  },
  /** Says of each append that it was acknowledged, at once. */
  async append(key: SessionKey, prefix: string, count: number) {
    for (let i = 0; i < count; i++) {
      await opened().events.append(key, {
        id: `${prefix}${i}`,
        author: prefix,
        actions: { stateDelta: { [`${prefix}${i}`]: i } },
      })
      process.send?.({ acknowledged: `${prefix}${i}` })
    }
  },
  async read(key: SessionKey) {
    const session = await opened().sessions.get(key, { events: 'all' })
    return session?.events?.map(({ seq, event }) => ({ seq, id: event.id }))
  },
  async close() {
    await store?.close()
  },
}

export type Tasks = typeof tasks

process.on('message', ({ id, name, args }: Command) => {
  const run = tasks[name] as (...given: readonly unknown[]) => Promise<unknown> // processes.ts holds the types
  run(...args).then(
    (value) => process.send?.({ id, value }),
    (error: unknown) => process.send?.({ id, failure: error instanceof Error ? error.message : String(error) }),
  )
})
