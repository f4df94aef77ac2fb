import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import { run } from './run.ts'
import type { ServerKind, Settings, Site } from './kind.ts'

const url = ({ user, password, port }: Site) => `mysql://${user}:${password}@127.0.0.1:${port}/`
const socketOf = ({ folder }: Site) => join(folder, 'run', 'sock')

/** Where its files are, for programs that are not where they were built for. */
function placeOf({ programs: { home }, folder }: Site, share: string, plugins: string): Settings {
  const data = { datadir: join(folder, 'data'), tmpdir: join(folder, 'run') }
  if (home === undefined) return data
  return {
    ...data,
    basedir: join(home, 'usr'),
    'lc-messages-dir': join(home, share),
    'character-sets-dir': join(home, share, 'charsets'),
    'plugin-dir': join(home, plugins),
  }
}

const flags = (settings: Settings) => Object.entries(settings).map(([name, value]) => `--${name}=${value}`)

const network = (site: Site): Settings => ({
  socket: socketOf(site),
  'pid-file': join(site.folder, 'run', 'pid'),
  port: site.port,
  'bind-address': '127.0.0.1',
  'skip-name-resolve': 'ON',
})

/** These have to be the same from the first day of the data on. */
const forTheData = ({ settings }: Site): Settings =>
  Object.fromEntries(Object.entries(settings).filter(([name]) => /^lower[-_]case[-_]table[-_]names$/.test(name)))

const tls: ServerKind['tls'] = ({ key, cert, ca }) => ({
  'ssl-key': key,
  'ssl-cert': cert,
  ...(ca !== undefined && { 'ssl-ca': ca }),
})

async function answers(site: Site): Promise<void> {
  const connection = await createConnection({ socketPath: socketOf(site), user: 'root', connectTimeout: 3000 })
  await connection.end()
}

/** Root may log in over the socket only; the tests come over the network. */
async function admit(site: Site): Promise<void> {
  const connection = await createConnection({ socketPath: socketOf(site), user: 'root' })
  try {
    await connection.query("create user ?@'%' identified by ?", [site.user, site.password])
    await connection.query("grant all on *.* to ?@'%' with grant option", [site.user])
  } finally {
    await connection.end()
  }
}

export const mysql: ServerKind = {
  async initialize(site) {
    const place = placeOf(site, 'usr/share/mysql', 'usr/lib/mysql/plugin')
    const args = ['--no-defaults', '--initialize-insecure', ...flags({ ...place, ...forTheData(site) })]
    await run(site.programs.path('mysqld'), args, site.account)
  },
  command(site) {
    const place = placeOf(site, 'usr/share/mysql', 'usr/lib/mysql/plugin')
    const all = { ...place, ...network(site), 'secure-file-priv': 'NULL', mysqlx: 'OFF', ...site.settings }
    return { file: site.programs.path('mysqld'), args: ['--no-defaults', ...flags(all)] }
  },
  answers,
  admit,
  stop: 'SIGTERM',
  url,
  tls,
}

export const mariadb: ServerKind = {
  async initialize(site) {
    const { home } = site.programs
    const place = home === undefined ? [] : [`--basedir=${join(home, 'usr')}`]
    const who = ['--auth-root-authentication-method=normal', '--skip-test-db', '--skip-name-resolve']
    const data = [`--datadir=${join(site.folder, 'data')}`, ...flags(forTheData(site))]
    await run(site.programs.path('mariadb-install-db'), ['--no-defaults', ...place, ...data, ...who], site.account)
  },
  command(site) {
    const place = placeOf(site, sharedBy(site), pluginsOf(site))
    // Debian's default, and the one that folds the most.
    const collation = site.programs.version.startsWith('10.') && {
      'character-set-server': 'utf8mb4',
      'collation-server': 'utf8mb4_general_ci',
    }
    const all = { ...place, ...network(site), ...collation, ...site.settings }
    return { file: site.programs.path('mariadbd'), args: ['--no-defaults', ...flags(all)] }
  },
  answers,
  admit,
  stop: 'SIGTERM',
  url,
  tls,
}

const firstIn = ({ programs: { home } }: Site, ...paths: [string, ...string[]]): string =>
  paths.find((path) => home !== undefined && existsSync(join(home, path))) ?? paths[0]
const sharedBy = (site: Site) => firstIn(site, 'usr/share/mariadb', 'usr/share/mysql')
const pluginsOf = (site: Site) => firstIn(site, 'usr/lib/mysql/plugin', 'usr/lib/mariadb/plugin')
