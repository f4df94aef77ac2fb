import { readFileSync } from 'node:fs'
import { cpus, loadavg, totalmem } from 'node:os'

/** No name and no path of it. */
export interface Machine {
  readonly processor: string
  readonly cores: number
  readonly memoryGib: number
  readonly node: string
  /** Of Linux, as `uname -r` says. */
  readonly system: string
}

export function thisMachine(): Machine {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    system: process.platform,
  }
}

/** The mean number of processes that wanted a core in the last minute, five, and fifteen. */
export const load = (): readonly number[] => loadavg().map((one) => Math.round(one * 100) / 100)

/** What is measured, in the versions that are installed. */
export function versions(): Readonly<Record<string, string>> {
  const { dependencies } = manifest(new URL('package.json', import.meta.url))
  const names = Object.keys(dependencies ?? {})
  return Object.fromEntries(
    names.map((name) => [name, manifest(new URL(`node_modules/${name}/package.json`, import.meta.url)).version]),
  )
}

interface Manifest {
  readonly version: string
  readonly dependencies?: Readonly<Record<string, string>>
}

const manifest = (path: URL) => JSON.parse(readFileSync(path, 'utf8')) as Manifest // a package.json, or nothing would be installed
