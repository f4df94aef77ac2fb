import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serverUrl } from './server.ts'

const run = promisify(execFile)
// Node 20 strips no types: the suite's hook does.
const loader = new URL('../../conformance/bin/typescript.mjs', import.meta.url).href

/** Runs a program in a process of its own until that ends by itself; rejects if it does not. Answers what it prints. */
export async function program(file: URL, args: object): Promise<unknown> {
  const script = fileURLToPath(file)
  const { stdout } = await run(
    process.execPath,
    ['--conditions=@daybook/source', '--import', loader, script, JSON.stringify({ url: serverUrl, ...args })],
    { timeout: 90_000, maxBuffer: 16 * 1024 * 1024 },
  )
  return JSON.parse(stdout)
}

/** Runs child.ts. */
export const child = (args: { schema: string; startAt: number; url?: string }) =>
  program(new URL('child.ts', import.meta.url), args) as Promise<{ applied?: string[]; code?: string }> // what child.ts says
