import { chownSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Client } from 'pg'
import { run } from './run.ts'
import type { ServerKind, Site } from './kind.ts'

const url = ({ user, password, port }: Site) => `postgres://${user}:${password}@127.0.0.1:${port}/postgres`

/** A server whose `vector` is of no use is one all the same. */
function goesWithout(error: unknown): void {
  console.warn(`the server has no vectors: create extension vector: ${String(error)}`)
}

export const postgres: ServerKind = {
  async initialize({ programs, folder, account, user, password }) {
    const secret = join(folder, 'password')
    writeFileSync(secret, password, { mode: 0o600 })
    if (account !== undefined) chownSync(secret, account.uid, account.gid)
    const who = ['-U', user, '--auth-local=trust', '--auth-host=scram-sha-256', `--pwfile=${secret}`]
    const text = ['--encoding=UTF8', '--locale=C.UTF-8']
    await run(programs.path('initdb'), ['-D', join(folder, 'data'), ...who, ...text], account)
    await rm(secret)
  },
  command({ programs, folder, port, settings }) {
    const all = {
      listen_addresses: '127.0.0.1',
      port,
      unix_socket_directories: join(folder, 'run'),
      max_connections: 200,
      // The compiler's library is 100 MB more to download.
      jit: 'off',
      ...settings,
    }
    const set = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    return { file: programs.path('postgres'), args: ['-D', join(folder, 'data'), ...set] }
  },
  async answers(site) {
    const client = new Client({ connectionString: url(site), connectionTimeoutMillis: 3000 })
    try {
      await client.connect()
      await client.query('select 1')
    } finally {
      await client.end()
    }
  },
  /** initdb made the user. What lies there to be made an extension, the tests want to have. */
  async admit(site) {
    const client = new Client({ connectionString: url(site), connectionTimeoutMillis: 3000 })
    try {
      await client.connect()
      const { rows } = await client.query(`select from pg_available_extensions where name = 'vector'`)
      if (rows.length > 0) await client.query('create extension if not exists vector').catch(goesWithout)
    } finally {
      await client.end()
    }
  },
  stop: 'SIGINT',
  url,
  tls: ({ key, cert, ca }) => ({
    ssl: 'on',
    ssl_key_file: key,
    ssl_cert_file: cert,
    ...(ca !== undefined && { ssl_ca_file: ca }),
  }),
}
