import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Account } from '../account.ts'

/** Runs a program to its end as the server's account; rejects with what it said if it fails. */
export async function run(file: string, args: readonly string[], account: Account | undefined): Promise<void> {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], cwd: '/', ...account })
  const said: Buffer[] = []
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => said.push(chunk))
  const [code] = (await once(child, 'close')) as [number | null] // the event's arguments
  if (code !== 0) throw new Error(`${file} failed: ${Buffer.concat(said).toString().trim()}`)
}
