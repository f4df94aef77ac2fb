import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, realpathSync } from 'node:fs'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ServerName } from './catalog.ts'
import { root } from './folders.ts'
import { Instance, type InstanceOptions } from './instance.ts'
import { findPrograms, getPrograms, type Programs } from './programs.ts'

export interface ThrowawayOptions extends InstanceOptions {
  /** Whether Debian's packages may be downloaded if the machine has no such server. By default they may. */
  readonly download?: boolean
}

/**
 * Starts a server of this test's own: a temporary folder, a free port, not as root. `remove()` it when done; it is removed
 * also when this process ends in any other way.
 */
export async function startServer(
  name: ServerName,
  { download = true, ...options }: ThrowawayOptions = {},
): Promise<Instance> {
  const programs = download ? await getPrograms(root(), name) : await findPrograms(root(), name)
  if (programs === undefined) throw new Error(`${name} is not on this machine`)
  return startPrograms(name, programs, options)
}

/** As {@link startServer}, for programs that were found already. */
export async function startPrograms(
  name: string,
  programs: Programs,
  options: InstanceOptions = {},
): Promise<Instance> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'daybook-')))
  watch(folder)
  const instance = new Instance(name, folder, programs, options)
  await instance.start()
  return instance
}

let guard: ChildProcess | undefined

/** Has the folder's server stopped and the folder removed when this process has ended. */
function watch(folder: string): void {
  if (guard === undefined) {
    const script = fileURLToPath(new URL('guard.mjs', import.meta.url))
    // Out of the terminal's process group, so that Ctrl-C does not end it before its work.
    guard = spawn(process.execPath, [script], { detached: true, stdio: ['pipe', 'ignore', 'inherit'] })
    guard.unref()
    const input = guard.stdin as Socket // a pipe is one
    input.unref()
  }
  guard.stdin?.write(`${folder}\n`)
}
