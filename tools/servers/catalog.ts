/** How a server is set up, started and asked; see the file of the same name. */
export type Kind = 'postgres' | 'mysql' | 'mariadb' | 'pgbouncer'

/** Where the tests look for the address of a server of this kind. */
export const variables: Record<Kind, string> = {
  postgres: 'DAYBOOK_PG_URL',
  mysql: 'DAYBOOK_MYSQL_URL',
  mariadb: 'DAYBOOK_MARIADB_URL',
  pgbouncer: 'DAYBOOK_PGBOUNCER_URL',
}

/** One version of a server. */
export interface Edition {
  readonly kind: Kind
  /** How `--version` of its program begins: other versions on the machine are not it. */
  readonly version: string
  /** The Debian suite that has it, and what to take from there. */
  readonly suite: string
  readonly packages: readonly string[]
}

/** The servers that the tests know, by the name that `pnpm servers` takes. */
export type ServerName = 'pg15' | 'pg18' | 'mariadb10.11' | 'mariadb11.8' | 'mysql9.7' | 'pgbouncer' | 'pgbouncer1.18'

const pgbouncer = { kind: 'pgbouncer', packages: ['pgbouncer'] } as const

const editions: Readonly<Record<ServerName, Edition>> = {
  pg15: { kind: 'postgres', version: '15.', suite: 'bookworm', packages: ['postgresql-15'] },
  pg18: { kind: 'postgres', version: '18.', suite: 'sid', packages: ['postgresql-18', 'postgresql-18-pgvector'] },
  'mariadb10.11': {
    kind: 'mariadb',
    version: '10.11.',
    suite: 'bookworm',
    packages: ['mariadb-server-core', 'mariadb-client-core'],
  },
  'mariadb11.8': {
    kind: 'mariadb',
    version: '11.8.',
    suite: 'trixie',
    packages: ['mariadb-server-core', 'mariadb-client-core'],
  },
  'mysql9.7': {
    kind: 'mysql',
    version: '9.7.',
    suite: 'sid',
    packages: ['mysql-server-core', 'mysql-client-core'],
  },
  pgbouncer: { ...pgbouncer, version: '1.', suite: 'sid' },
  'pgbouncer1.18': { ...pgbouncer, version: '1.18.', suite: 'bookworm' },
}

export const serverNames: readonly ServerName[] = Object.keys(editions) as ServerName[] // the literal's own keys

export const isServerName = (name: string): name is ServerName => Object.hasOwn(editions, name)

export const editionOf = (name: ServerName): Edition => editions[name]
