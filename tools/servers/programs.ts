import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { editionOf, serverNames, type Kind, type ServerName } from './catalog.ts'
import { hasDebian } from './debian.ts'
import { isUnpacked, packageFolder, unpack } from './unpack.ts'

const run = promisify(execFile)

/** Where a server's programs are. */
export interface Programs {
  readonly kind: Kind
  /** The full version, such as `9.7.4`. */
  readonly version: string
  /** The path of one of them. */
  readonly path: (program: string) => string
  /** The folder of packages that they were unpacked in; `undefined` for programs that the machine has installed. */
  readonly home: string | undefined
}

const main: Record<Kind, string> = {
  postgres: 'postgres',
  mysql: 'mysqld',
  mariadb: 'mariadbd',
  pgbouncer: 'pgbouncer',
}

/** The folders of a machine, or of an unpacked package, where programs may be. */
function foldersBelow(home: string): string[] {
  const postgres = join(home, 'usr/lib/postgresql')
  const versions = existsSync(postgres) ? readdirSync(postgres).map((version) => join(postgres, version, 'bin')) : []
  return [...versions, join(home, 'usr/sbin'), join(home, 'usr/bin')]
}

const machine = () => [
  ...foldersBelow('/'),
  ...(process.env['PATH'] ?? '').split(':').filter((folder) => folder !== ''),
]

/** The programs of a server on this machine, or those unpacked before; `undefined` if there are none of that version. */
export async function findPrograms(root: string, name: ServerName): Promise<Programs | undefined> {
  const { kind, version } = editionOf(name)
  return (await programsIn(machine(), kind, version)) ?? unpackedPrograms(root, name)
}

/** The programs of a kind of server that are here, of whatever version; `undefined` if there are none. */
export async function findAnyPrograms(root: string, kind: Kind): Promise<Programs | undefined> {
  const installed = await programsIn(machine(), kind, '')
  if (installed !== undefined) return installed
  for (const name of serverNames.filter((one) => editionOf(one).kind === kind)) {
    const unpacked = await unpackedPrograms(root, name)
    if (unpacked !== undefined) return unpacked
  }
  return undefined
}

async function unpackedPrograms(root: string, name: ServerName): Promise<Programs | undefined> {
  if (!isUnpacked(root, name)) return undefined
  const { kind, version } = editionOf(name)
  const home = packageFolder(root, name)
  return programsIn(foldersBelow(home), kind, version, home)
}

/** As {@link findPrograms}, and gets them from Debian if there are none. */
export async function getPrograms(root: string, name: ServerName): Promise<Programs> {
  const found = await findPrograms(root, name)
  if (found !== undefined) return found
  if (!hasDebian()) throw new Error(`${name} is not installed here, and packages of Debian cannot be had`)
  const home = await unpack(root, name)
  const unpacked = await unpackedPrograms(root, name)
  if (unpacked === undefined) throw new Error(`Debian's packages for ${name} are in ${home}, but of another version`)
  return unpacked
}

async function programsIn(
  folders: readonly string[],
  kind: Kind,
  wanted: string,
  home?: string,
): Promise<Programs | undefined> {
  for (const folder of new Set(folders)) {
    const program = join(folder, main[kind])
    if (!existsSync(program)) continue
    const version = await versionOf(program, kind)
    if (version?.startsWith(wanted)) return { kind, version, home, path: (one) => pathIn(folder, folders, one) }
  }
  return undefined
}

/** Beside the main program first: PostgreSQL has a folder for each version. */
function pathIn(folder: string, folders: readonly string[], program: string): string {
  const found = [folder, ...folders].map((each) => join(each, program)).find((path) => existsSync(path))
  if (found === undefined) throw new Error(`there is no ${program} beside the server in ${dirname(folder)}`)
  return found
}

async function versionOf(program: string, kind: Kind): Promise<string | undefined> {
  const { stdout } = await run(program, ['--version']).catch(() => ({ stdout: '' }))
  // MariaDB also answers to the name mysqld.
  if ((kind === 'mysql' || kind === 'mariadb') && stdout.includes('MariaDB') !== (kind === 'mariadb')) return undefined
  return /\b\d+\.\d+(?:\.\d+)?/.exec(stdout)?.[0]
}
