import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import { expect, onTestFinished, test, vi } from 'vitest'
import { sourcesIn } from './debian.ts'
import { root } from './folders.ts'
import { locked } from './lock.ts'
import { isAlive, isGone } from './processes.ts'
import { findPrograms } from './programs.ts'
import { startServer } from './throwaway.ts'

test("of the machine's package sources only Debian's main archive counts", () => {
  const deb822 = `Types: deb
# a note
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
Signed-By: /keys/debian-archive-keyring.gpg

Types: deb
URIs: https://elsewhere.example/node
Suites: nodistro
Components: main
Signed-By: /keys/elsewhere.gpg
`
  const one = { uri: 'http://mirror.example/debian', key: '/keys/debian-archive-keyring.gpg' }
  expect(sourcesIn(deb822, true)).toEqual([one])
  const oneLine = `# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/keys/debian-archive-keyring.gpg] http://mirror.example/debian trixie main contrib
deb http://mirror.example/debian-security trixie-security main
deb-src http://mirror.example/debian trixie main
`
  expect(sourcesIn(oneLine, false)).toEqual([one])
})

test('two holders of one lock take turns', async () => {
  const seen: string[] = []
  const turn = (name: string) =>
    locked(join(root(), 'turns'), async () => {
      seen.push(`${name} in`)
      await new Promise((done) => setTimeout(done, 20))
      seen.push(`${name} out`)
    })
  await Promise.all([turn('one'), turn('two')])
  const [first, second] = seen[0] === 'one in' ? ['one', 'two'] : ['two', 'one']
  expect(seen).toEqual([`${first} in`, `${first} out`, `${second} in`, `${second} out`])
})

const isHere = (await findPrograms(root(), 'pg15')) !== undefined

async function ask(url: string, query: string): Promise<unknown> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const { rows } = await client.query<Record<string, unknown>>({ text: query })
    return Object.values(rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}

test('a server that is killed starts again with its data, its settings and its address', async ({ skip }) => {
  if (!isHere) skip('there is no PostgreSQL 15 on this machine')
  const server = await startServer('pg15', { download: false, settings: { TimeZone: 'Asia/Tokyo' } })
  onTestFinished(() => server.remove())
  const { url, pid } = server
  await ask(url, 'create table kept as select 7 as n')
  const killed = server.kill()
  // A process that is busy asks late about those that it has started; until then the system has their numbers.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300)
  await killed
  expect([isAlive(pid), isGone(pid)]).toEqual([false, true])
  await expect(ask(url, 'select 1')).rejects.toThrow('ECONNREFUSED')
  await server.start()
  expect(server.url).toBe(url)
  expect(await ask(url, 'select n from kept')).toBe(7)
  expect(await ask(url, 'show timezone')).toBe('Asia/Tokyo')
  await server.remove()
  expect(existsSync(server.folder)).toBe(false)
}, 60_000)

test('a server that cannot have its extension is one without it, and says so', async ({ skip }) => {
  if ((await findPrograms(root(), 'pg18')) === undefined) skip('there is no PostgreSQL 18 on this machine')
  const said = vi.spyOn(console, 'warn').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  const server = await startServer('pg18', { download: false, settings: { default_transaction_read_only: 'on' } })
  onTestFinished(() => server.remove())
  expect(await ask(server.url, `select count(*)::int from pg_extension where extname = 'vector'`)).toBe(0)
  expect(said.mock.calls.flat()).toEqual([expect.stringMatching(/create extension vector: .*read-only/)])
}, 60_000)

test('a throwaway server ends with the process that started it, also if that is killed', async ({ skip }) => {
  if (!isHere) skip('there is no PostgreSQL 15 on this machine')
  const loader = new URL('../../packages/conformance/bin/typescript.mjs', import.meta.url).href
  const script = `
    import { startServer } from ${JSON.stringify(new URL('throwaway.ts', import.meta.url).href)}
    const { pid, folder } = await startServer('pg15', { download: false })
    console.log(JSON.stringify({ pid, folder }))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--import', loader, '--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [said] = (await once(child.stdout, 'data')) as [Buffer] // the event's argument
  const { pid, folder } = JSON.parse(said.toString()) as { pid: number; folder: string } // what the script says
  expect(readFileSync(join(folder, 'server.json'), 'utf8')).toContain(String(pid))
  child.kill('SIGKILL')
  await expect.poll(() => isAlive(pid) || existsSync(folder), { timeout: 20_000 }).toBe(false)
}, 60_000)
