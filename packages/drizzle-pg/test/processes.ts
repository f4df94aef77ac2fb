import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { serverUrl } from './server.ts'

const run = promisify(execFile)
// Node 20 strips no types: the suite's hook does.
const loader = new URL('../../conformance/bin/typescript.mjs', import.meta.url).href
const script = fileURLToPath(new URL('child.ts', import.meta.url))

/** Runs child.ts in a process of its own until that ends by itself; rejects if it does not. */
export async function child(args: {
  schema: string
  startAt: number
  url?: string
}): Promise<{ applied?: string[]; code?: string }> {
  const { stdout } = await run(
    process.execPath,
    ['--conditions=@daybook/source', '--import', loader, script, JSON.stringify({ url: serverUrl, ...args })],
    { timeout: 20_000 },
  )
  return JSON.parse(stdout) as { applied?: string[]; code?: string } // what child.ts says
}
