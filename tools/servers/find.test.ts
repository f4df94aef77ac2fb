import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from 'pg'
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { find, wanted } from './find.ts'
import { findAnyPrograms } from './programs.ts'
import { root } from './folders.ts'
import type { Instance } from './instance.ts'
import { isRequired } from './required.ts'
import { startServer } from './throwaway.ts'

const programs = await findAnyPrograms(root(), 'postgres')
const nowhere = 'postgres://nobody@127.0.0.1:1/nowhere'

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  vi.stubEnv('DAYBOOK_SERVERS_DIR', folder)
  for (const variable of ['PG', 'MYSQL', 'MARIADB']) vi.stubEnv(`DAYBOOK_${variable}_URL`, undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

const unwanted = () => {
  throw new Error('a server was started that nobody needs')
}

test('an address in the environment that does not answer is said, and no other server is tested instead', async () => {
  vi.stubEnv('DAYBOOK_PG_URL', nowhere)
  expect(await find(wanted.pg, unwanted)).toEqual({ missing: 'nothing answers at DAYBOOK_PG_URL (ECONNREFUSED)' })
})

test('the address in the environment comes first, then the default port, then programs of which one is started', async ({
  skip,
}) => {
  if (programs === undefined) skip('there is no PostgreSQL on this machine')
  const started: Instance[] = []
  const own = await find({ ...wanted.pg, local: nowhere }, (instance) => started.push(instance))
  onTestFinished(async () => {
    for (const instance of started) await instance.remove()
  })
  expect(own).toMatchObject({ place: 'started for this run', product: `PostgreSQL ${programs?.version}` })
  const url = started[0]?.url ?? ''
  expect(own).toMatchObject({ url })
  const { rows } = await asked(url, 'show server_version')
  expect(rows).toHaveLength(1)

  const local = await find({ ...wanted.pg, local: url }, unwanted)
  expect(local).toMatchObject({ url, place: 'at the default local port' })
  vi.stubEnv('DAYBOOK_PG_URL', url)
  const named = await find({ ...wanted.pg, local: nowhere }, unwanted)
  expect(named).toMatchObject({ url, place: 'named by DAYBOOK_PG_URL' })
}, 60_000)

test('a machine without a server and without programs is said', async () => {
  vi.stubEnv('PATH', '')
  const found = await find({ ...wanted.pg, local: nowhere, kind: 'pgbouncer' }, unwanted)
  expect(found).toMatchObject({ missing: expect.stringMatching(/^DAYBOOK_PG_URL is not set, .* no programs of it$/) })
})

test('MariaDB is found at an address that is called MySQL, and is no MySQL', async ({ skip }) => {
  const here = await findAnyPrograms(root(), 'mariadb')
  if (here === undefined) skip('there is no MariaDB on this machine')
  const server = await startServer('mariadb10.11', { download: false }).catch(() => skip('there is another MariaDB'))
  onTestFinished(() => server.remove())
  vi.stubEnv('DAYBOOK_MYSQL_URL', server.url)
  expect(await find(wanted.mariadb, unwanted)).toMatchObject({ url: server.url, place: 'named by DAYBOOK_MYSQL_URL' })
  vi.stubEnv('PATH', '')
  const other = await find({ ...wanted.mysql, local: server.url }, unwanted)
  expect(other).toMatchObject({ missing: expect.stringContaining('no programs of it') })
}, 60_000)

test('a backend that is required under a name that nobody knows is refused', () => {
  vi.stubEnv('DAYBOOK_REQUIRE', 'pg, mysq')
  expect(() => isRequired('pg')).toThrow('DAYBOOK_REQUIRE names mysq; there is only memory')
  vi.stubEnv('DAYBOOK_REQUIRE', 'pg, mysql')
  expect([isRequired('pg'), isRequired('mariadb')]).toEqual([true, false])
})

async function asked(url: string, query: string) {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query({ text: query })
  } finally {
    await client.end()
  }
}
