import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const loader = new URL('../../conformance/bin/typescript.mjs', import.meta.url)

/** What Node is started with to run a program of ours. */
export const nodeArgs: readonly string[] = [
  '--conditions=@daybook/source',
  '--disable-warning=ExperimentalWarning',
  `--import=${loader.href}`,
]

/** Runs a program of ours in another process, and answers what it prints. Node 20 strips no types, so a hook does. */
export async function runTypescript(program: URL, ...args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeArgs, fileURLToPath(program), ...args])
  return stdout
}
