/** How a server is set up, started and asked; see the file of the same name. */
export type Kind = 'postgres' | 'mysql' | 'mariadb' | 'pgbouncer'

/** One version of a server. */
export interface Edition {
  readonly kind: Kind
  /** How `--version` of its program begins: other versions on the machine are not it. */
  readonly version: string
  /** The Debian suite that has it, and what to take from there. */
  readonly suite: string
  readonly packages: readonly string[]
}

const pgbouncer = { kind: 'pgbouncer', packages: ['pgbouncer'] } as const

/** The servers that the tests know, by the name that `pnpm servers` takes. */
const editions = {
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
} as const satisfies Record<string, Edition>

export type ServerName = keyof typeof editions

export const serverNames = Object.keys(editions) as ServerName[] // the literal's own keys

export const isServerName = (name: string): name is ServerName => Object.hasOwn(editions, name)

export const editionOf = (name: ServerName): Edition => editions[name]
