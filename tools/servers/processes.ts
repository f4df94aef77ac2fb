import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** The command line of a process; empty when there is none. */
function commandLine(pid: number): string {
  if (!existsSync('/proc/self/cmdline'))
    return spawnSync('ps', ['-ww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }).stdout
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // it has ended
  }
}

/** Whether a process runs and has this folder on its command line: numbers are given to others again. */
export const runsIn = (pid: number, folder: string): boolean => pid > 0 && commandLine(pid).includes(folder)

/** Whether a process runs. One that ended and that nobody asked about does not. */
export const isAlive = (pid: number): boolean => pid > 0 && commandLine(pid) !== ''

/** Whether it is reaped, so that its number is nobody's. Some who look after a number take one that waits for that for alive. */
export function isGone(pid: number): boolean {
  try {
    return !process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' // what kill fails with
  }
}

/** The processes that one has started and that still run. */
export function childrenOf(pid: number): number[] {
  if (!existsSync('/proc/self/stat')) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === pid)
    .map(Number)
}

function parentOf(pid: string): number | undefined {
  try {
    // The name in brackets may itself have brackets and spaces.
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ')[1])
  } catch {
    return undefined // it has ended
  }
}

/** Sends a signal; that the process has ended meanwhile is fine. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // what kill fails with
  }
}

/** Waits until it is so; rejects after `seconds`. */
export async function until(isSo: () => boolean, seconds: number, what: string): Promise<void> {
  const end = Date.now() + seconds * 1000
  while (!isSo()) {
    if (Date.now() > end) throw new Error(`${what} took more than ${seconds} seconds`)
    await sleep(20)
  }
}
