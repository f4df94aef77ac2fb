import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { editionOf, serverNames, type ServerName } from './catalog.ts'
import { root } from './folders.ts'
import { Instance } from './instance.ts'
import { locked } from './lock.ts'
import { findPrograms, getPrograms } from './programs.ts'

const folderOf = (name: ServerName) => join(root(), 'running', name)

/** Starts a server that stays until somebody takes it down; fine when it runs already. Two callers at once get the same one. */
export async function up(name: ServerName): Promise<Instance> {
  const upstream = editionOf(name).kind === 'pgbouncer' ? (await up('pg18')).url : undefined
  const programs = await getPrograms(root(), name)
  return locked(folderOf(name), async () => {
    const instance = new Instance(name, folderOf(name), programs, { ...(upstream !== undefined && { upstream }) })
    await instance.start()
    return instance
  })
}

/** Stops a server and keeps its data. */
export async function down(name: ServerName): Promise<void> {
  await locked(folderOf(name), async () => (await known(name))?.stop())
}

/** Starts a server anew, with an empty database and perhaps at another address. */
export async function reset(name: ServerName): Promise<Instance> {
  await down(name)
  rmSync(folderOf(name), { recursive: true, force: true })
  return up(name)
}

/** A server as it is, or `undefined` if it was never up. */
export async function known(name: ServerName): Promise<Instance | undefined> {
  const programs = existsSync(folderOf(name)) ? await findPrograms(root(), name) : undefined
  return programs === undefined ? undefined : new Instance(name, folderOf(name), programs)
}

/** The servers that run. */
export async function running(): Promise<readonly Instance[]> {
  const all = await Promise.all(serverNames.map((name) => known(name)))
  return all.filter((instance) => instance !== undefined).filter(({ isRunning }) => isRunning)
}
