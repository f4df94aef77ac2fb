import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import postgres, { type Sql } from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createAuthority, type Certificate } from '../../../tools/servers/certificates.ts'
import { root } from '../../../tools/servers/folders.ts'
import type { Instance } from '../../../tools/servers/instance.ts'
import { findAnyPrograms } from '../../../tools/servers/programs.ts'
import { startPrograms } from '../../../tools/servers/throwaway.ts'
import { resultOf } from '../src/driver.ts'
import { openPgStore, type OpenPgOptions } from '../src/index.ts'

// A server of the test's own, with TLS, for roles that log in in different ways.

const secret = 's3cret p/w:@?#%'
const programs = await findAnyPrograms(root(), 'postgres')
let server: Instance
let admin: Sql
let folder: string
let pem: { ca: string; otherCa: string; client: Certificate }

beforeAll(async () => {
  if (programs === undefined) return
  const [authority, other] = await Promise.all([createAuthority(), createAuthority()])
  const tls = await authority.issue('db.example', ['db.example', 'localhost'])
  pem = { ca: authority.ca, otherCa: other.ca, client: await authority.issue('certified') }
  await authority.remove()
  await other.remove()
  server = await startPrograms('postgres', programs, { tls: { ...tls, ca: pem.ca } })
  admin = postgres(server.url, { max: 1, onnotice: () => {} })
  await admin.unsafe(`create role scram login password '${secret}'`)
  await admin.unsafe(`set password_encryption = 'md5'; create role md5ed login password '${secret}'`)
  await admin.unsafe('create role certified login')
  const rules = join(server.folder, 'data', 'pg_hba.conf')
  const before = await readFile(rules, 'utf8')
  await writeFile(rules, 'host all md5ed all md5\nhostssl all certified all cert\n')
  await appendFile(rules, before)
  await admin`select pg_reload_conf()`
  folder = await mkdtemp(join(tmpdir(), 'daybook-pem-'))
  await writeFile(join(folder, 'ca.pem'), pem.ca)
}, 60_000)

afterAll(async () => {
  await admin?.end({ timeout: 1 })
  await server?.remove()
  if (folder !== undefined) await rm(folder, { recursive: true })
})

beforeEach(({ skip }) => {
  if (programs === undefined) skip('this machine has no programs of PostgreSQL')
})

const as = (user: string, password?: string): OpenPgOptions => ({
  host: '127.0.0.1',
  port: server.port,
  database: 'postgres',
  user,
  ...(password !== undefined && { password }),
  max: 2,
})

/** Whether the connection is encrypted, once it is there. */
async function isEncrypted(options: OpenPgOptions): Promise<boolean> {
  const store = await openPgStore(options)
  onTestFinished(() => store.close())
  const answer = await store.db.execute(sql`select ssl as "ssl" from pg_stat_ssl where pid = pg_backend_pid()`)
  return resultOf(answer).rows[0]?.['ssl'] === true
}

async function refusal(options: OpenPgOptions): Promise<unknown> {
  const error: unknown = await openPgStore(options).then(
    async (store) => {
      await store.close()
      return 'it opened'
    },
    (reason: unknown) => reason,
  )
  expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('s3cret')
  return error
}

const loginRefused = {
  code: 'unavailable',
  retryable: false,
  message: expect.stringContaining('refuses the login') as string,
}
const untrusted = {
  code: 'unavailable',
  retryable: false,
  message: expect.stringContaining('can be trusted') as string,
}

describe.for((['pg', 'postgres'] as const).map((driver) => ({ driver })))('over $driver', ({ driver }) => {
  test('passwords: SCRAM and MD5, from a function too, and a wrong one is refused', async () => {
    for (const user of ['scram', 'md5ed']) {
      expect(await isEncrypted({ ...as(user, secret), driver })).toBe(false)
      expect(await isEncrypted({ ...as(user), password: () => secret, driver })).toBe(false)
      expect(await refusal({ ...as(user, `${secret}!`), driver })).toMatchObject(loginRefused)
      const url = `postgres://${user}:${encodeURIComponent(secret)}@127.0.0.1:${server.port}/postgres`
      expect(await isEncrypted({ url, driver })).toBe(false)
    }
  })

  test('TLS: the authority by file or text, and the name that the certificate has', async () => {
    const known = { ...as('scram', secret), driver, tls: { ca: pem.ca, servername: 'db.example' } }
    expect(await isEncrypted(known)).toBe(true)
    expect(await isEncrypted({ ...known, host: 'localhost', tls: { ca: join(folder, 'ca.pem') } })).toBe(true)
    expect(await isEncrypted({ ...known, tls: { ca: pem.otherCa, rejectUnauthorized: false } })).toBe(true)
    const parameters = `sslmode=verify-full&sslrootcert=${encodeURIComponent(join(folder, 'ca.pem'))}`
    const url = `postgres://scram:${encodeURIComponent(secret)}@localhost:${server.port}/postgres?${parameters}`
    expect(await isEncrypted({ url, driver })).toBe(true)
  })

  test('TLS: another authority, none, and another name than that of the certificate are refused', async () => {
    const options = { ...as('scram', secret), driver }
    expect(await refusal({ ...options, tls: { ca: pem.otherCa, servername: 'db.example' } })).toMatchObject(untrusted)
    expect(await refusal({ ...options, tls: true })).toMatchObject(untrusted)
    // It has the name `localhost`, which an address in numbers is not.
    expect(await refusal({ ...options, tls: { ca: pem.ca } })).toMatchObject(untrusted)
    expect(await refusal({ ...options, tls: { ca: pem.ca, servername: 'db.other' } })).toMatchObject(untrusted)
  })

  test('TLS: a client is known by its certificate, and by nothing else', async () => {
    const tls = { ca: pem.ca, servername: 'db.example' }
    expect(await isEncrypted({ ...as('certified'), driver, tls: { ...tls, ...pem.client } })).toBe(true)
    expect(await refusal({ ...as('certified', secret), driver, tls })).toMatchObject(loginRefused)
    expect(await refusal({ ...as('scram', `${secret}!`), driver, tls: { ...tls, ...pem.client } })).toMatchObject(
      loginRefused,
    )
  })

  test('a unix socket, as an option or in the URL', async () => {
    const { host: _host, ...rest } = as('scram')
    expect(await isEncrypted({ ...rest, driver, socketPath: server.socketFolder })).toBe(false)
    for (const url of [
      `postgres://scram@${encodeURIComponent(server.socketFolder)}:${server.port}/postgres`,
      `postgres://scram@/postgres?host=${server.socketFolder}`,
    ])
      expect(await isEncrypted({ url, driver, port: server.port })).toBe(false)
    expect(await refusal({ ...rest, driver, socketPath: join(folder, 'none') })).toMatchObject({
      code: 'unavailable',
      message: `no database server answers at ${join(folder, 'none')}`,
    })
  })
})
