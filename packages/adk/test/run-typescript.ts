import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const loader = new URL('../../conformance/bin/typescript.mjs', import.meta.url)

/** Runs a program of ours in another process, and answers what it prints. Node 20 strips no types, so a hook does. */
export async function runTypescript(program: URL, ...args: readonly string[]): Promise<string> {
  const flags = ['--conditions=@daybook/source', '--import', loader.href]
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, fileURLToPath(program), ...args])
  return stdout
}
