import { StoreError, type Store, type StoreOptions } from '@daybook/core'

/** What every database takes. */
export interface OpenStoreOptions extends StoreOptions {
  /** What the names of the tables begin with. Default `daybook_`. */
  readonly prefix?: string
}

interface Database {
  /** What has to be installed for it. */
  readonly packages: readonly string[]
  /** Loads the package, which is no dependency of this one, and opens a store with it. */
  open(url: string, options: OpenStoreOptions): Promise<Store>
}

const sqlite: Database = {
  packages: ['@daybook/drizzle-sqlite', 'drizzle-orm', '@libsql/client'],
  async open(url, options) {
    const { openSqliteStore } = await import('@daybook/drizzle-sqlite')
    return openSqliteStore({ ...options, url })
  },
}

const pg: Database = {
  packages: ['@daybook/drizzle-pg', 'drizzle-orm', 'pg'],
  async open(url, options) {
    const { openPgStore } = await import('@daybook/drizzle-pg')
    return openPgStore({ ...options, url })
  },
}

const mysql: Database = {
  packages: ['@daybook/drizzle-mysql', 'drizzle-orm', 'mysql2'],
  async open(url, options) {
    const { openMysqlStore } = await import('@daybook/drizzle-mysql')
    return openMysqlStore({ ...options, url })
  },
}

/** By the scheme of the address: those of ADK's `DatabaseSessionService`, and what the SQLite package takes besides. */
const databases: Readonly<Record<string, Database>> = {
  'sqlite:': { ...sqlite, open: (url, options) => sqlite.open(sqliteUrl(url), options) },
  'file:': sqlite,
  ':memory:': sqlite,
  'libsql:': sqlite,
  'postgres:': pg,
  'postgresql:': pg,
  'mysql:': mysql,
  'mariadb:': mysql,
}

export const schemeOf = (url: string) => /^[a-z\d+.-]*:(?:memory:)?/i.exec(url)?.[0].toLowerCase() ?? ''

/** Whether {@link openStore} opens addresses such as this. */
export const isDatabaseUrl = (url: string): boolean => Object.hasOwn(databases, schemeOf(url))

/** Opens a store over the database that an address names. */
export async function openStore(url: string, options: OpenStoreOptions): Promise<Store> {
  const scheme = schemeOf(url)
  const database = databases[scheme]
  if (database === undefined || !isDatabaseUrl(url)) {
    const known = Object.keys(databases).join(' ')
    throw new StoreError('invalid_argument', `url begins with none of ${known}`, { field: 'url' })
  }
  try {
    return await database.open(url, options)
  } catch (cause) {
    if (!isModuleMissing(cause)) throw cause
    const install = `npm install ${database.packages.join(' ')}`
    throw new StoreError('unsupported', `the packages for ${scheme} are not installed: ${install}`, { cause })
  }
}

/** Its own packages, or one that they want beside them. */
export function isModuleMissing(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return ('code' in error && error.code === 'ERR_MODULE_NOT_FOUND') || isModuleMissing(error.cause)
}

/** `sqlite://agent.db` and `sqlite:///var/agent.db` as ADK reads them: what follows the slashes is the path, verbatim. */
export function sqliteUrl(url: string): string {
  const path = url.slice('sqlite:'.length).replace(/^\/\//, '')
  return path === ':memory:' ? path : `file:${path.replaceAll(/[%?#]/g, encodeURIComponent)}`
}
