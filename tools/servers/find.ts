import { createConnection, type RowDataPacket } from 'mysql2/promise'
import { Client } from 'pg'
import { variables, type Kind } from './catalog.ts'
import { root } from './folders.ts'
import { allFound, keep, type Found, type ServerBackend } from './found.ts'
import type { Instance } from './instance.ts'
import { findAnyPrograms } from './programs.ts'
import { startPrograms } from './throwaway.ts'
import { running } from './zoo.ts'

interface Wanted {
  readonly kind: Kind
  readonly name: string
  /** Where in the environment an address may be. MySQL and MariaDB speak the same protocol: each looks at the other's too. */
  readonly variables: readonly [string, ...string[]]
  /** The default local port. */
  readonly local: string
}

export const wanted: Record<ServerBackend, Wanted> = {
  pg: {
    kind: 'postgres',
    name: 'PostgreSQL',
    variables: [variables.postgres],
    local: 'postgres://postgres@127.0.0.1:5432/postgres',
  },
  mariadb: {
    kind: 'mariadb',
    name: 'MariaDB',
    variables: [variables.mariadb, variables.mysql],
    local: 'mysql://root@127.0.0.1:3306/',
  },
  mysql: {
    kind: 'mysql',
    name: 'MySQL',
    variables: [variables.mysql, variables.mariadb],
    local: 'mysql://root@127.0.0.1:3306/',
  },
}

/**
 * Looks for a server for each backend: an address in the environment, the default local port, one that `pnpm servers up`
 * started, and programs on this machine, of which it starts a throwaway server. Answers those it started.
 */
export async function findServers(backends: readonly ServerBackend[]): Promise<readonly Instance[]> {
  const started: Instance[] = []
  for (const backend of backends.filter((one) => allFound()[one] === undefined)) {
    const found = await find(wanted[backend], (instance) => started.push(instance))
    keep(backend, found)
    if ('url' in found) console.info(`tests run on ${found.product}, ${found.place}`)
  }
  return started
}

/** Looks for one server. */
export async function find(what: Wanted, onStart: (instance: Instance) => void): Promise<Found> {
  const [own] = what.variables
  for (const variable of what.variables) {
    const url = process.env[variable]
    if (url === undefined || url === '') continue
    const answer = await ask(url)
    if (answer.kind === what.kind) return { url, product: answer.product, place: `named by ${variable}` }
    // Going on would test another server than the one that was asked for.
    if (variable === own && answer.kind === undefined)
      return { missing: `nothing answers at ${variable} (${answer.code})` }
  }
  const local = await ask(what.local)
  if (local.kind === what.kind) return { url: what.local, product: local.product, place: 'at the default local port' }
  const up = (await running()).find(({ kind }) => kind === what.kind)
  if (up !== undefined) return { url: up.url, product: `${what.name} ${up.version}`, place: `up as ${up.name}` }
  return (
    (await start(what, onStart)) ?? {
      missing: `${own} is not set, no ${what.name} answers at the default local port${local.kind === undefined ? ` (${local.code})` : ''}, and this machine has no programs of it`,
    }
  )
}

async function start({ kind, name }: Wanted, onStart: (instance: Instance) => void): Promise<Found | undefined> {
  const programs = await findAnyPrograms(root(), kind)
  if (programs === undefined) return undefined
  const instance = await startPrograms(kind, programs)
  onStart(instance)
  return { url: instance.url, product: `${name} ${programs.version}`, place: 'started for this run' }
}

type Answer = { readonly kind: Kind; readonly product: string } | { readonly kind: undefined; readonly code: string }

/** What answers at an address. */
async function ask(url: string): Promise<Answer> {
  try {
    return url.startsWith('postgres') ? await askPostgres(url) : await askMysql(url)
  } catch (error) {
    const { code } = error as { code?: string } // drivers' errors carry one
    return { kind: undefined, code: code ?? 'unknown error' }
  }
}

async function askPostgres(connectionString: string): Promise<Answer> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 3000 })
  try {
    await client.connect()
    const { rows } = await client.query<{ server_version: string }>('show server_version')
    const [number = ''] = rows[0]?.server_version.split(' ') ?? [] // a distribution adds its own
    return { kind: 'postgres', product: `PostgreSQL ${number}` }
  } finally {
    await client.end()
  }
}

async function askMysql(url: string): Promise<Answer> {
  const connection = await createConnection({ uri: url.replace(/^mariadb:/, 'mysql:'), connectTimeout: 3000 })
  try {
    const [rows] = await connection.query<(RowDataPacket & { version: string })[]>('select version() as version')
    const version = rows[0]?.version ?? ''
    const isMariadb = version.includes('MariaDB')
    const [number = ''] = /[\d.]+/.exec(version) ?? []
    return { kind: isMariadb ? 'mariadb' : 'mysql', product: `${isMariadb ? 'MariaDB' : 'MySQL'} ${number}` }
  } finally {
    await connection.end()
  }
}
