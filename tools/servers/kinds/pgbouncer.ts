import { chownSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Client } from 'pg'
import type { ServerKind, Site } from './kind.ts'

const url = ({ user, password, port }: Site) => `postgres://${user}:${password}@127.0.0.1:${port}/postgres`

/** Takes the passwords of the server behind it as they are stored there, so every role of that server can log in. */
export const pgbouncer: ServerKind = {
  async initialize() {
    // It keeps nothing.
  },
  command(site) {
    const at = (name: string) => join(site.folder, 'run', name)
    const behind = new URL(site.upstream ?? '')
    const [user, password] = [behind.username, behind.password].map((part) => decodeURIComponent(part))
    const all = {
      listen_addr: '127.0.0.1',
      listen_port: site.port,
      unix_socket_dir: join(site.folder, 'run'),
      auth_type: 'scram-sha-256',
      auth_file: at('users.txt'),
      auth_user: user ?? '',
      auth_query: 'select usename, passwd from pg_shadow where usename = $1',
      pool_mode: 'transaction',
      default_pool_size: 20,
      max_client_conn: 500,
      ignore_startup_parameters: 'extra_float_digits',
      ...site.settings,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}`)
    const databases = `[databases]\n* = host=${behind.hostname} port=${behind.port || 5432}\n`
    writeFileSync(at('pgbouncer.ini'), `${databases}[pgbouncer]\n${lines.join('\n')}\n`, { mode: 0o600 })
    writeFileSync(at('users.txt'), `"${user}" "${password}"\n`, { mode: 0o600 })
    const { account } = site
    if (account !== undefined)
      for (const file of ['pgbouncer.ini', 'users.txt']) chownSync(at(file), account.uid, account.gid)
    return { file: site.programs.path('pgbouncer'), args: [at('pgbouncer.ini')] }
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
  async admit() {
    // Who may log in at the server behind may log in here.
  },
  stop: 'SIGTERM',
  url,
  tls: ({ key, cert, ca }) => ({
    client_tls_sslmode: 'require',
    client_tls_key_file: key,
    client_tls_cert_file: cert,
    ...(ca !== undefined && { client_tls_ca_file: ca }),
  }),
}
