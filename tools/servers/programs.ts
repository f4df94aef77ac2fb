import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { editionOf, type Kind, type ServerName } from './catalog.ts'
import { hasDebian } from './debian.ts'
import { isUnpacked, packageFolder, unpack } from './unpack.ts'

const run = promisify(execFile)

/** Where a server's programs are. */
export interface Programs {
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
  const installed = await programsIn(machine(), name, undefined)
  if (installed !== undefined || !isUnpacked(root, name)) return installed
  const home = packageFolder(root, name)
  return programsIn(foldersBelow(home), name, home)
}

/** As {@link findPrograms}, and gets them from Debian if there are none. */
export async function getPrograms(root: string, name: ServerName): Promise<Programs> {
  const found = await findPrograms(root, name)
  if (found !== undefined) return found
  if (!hasDebian()) throw new Error(`${name} is not installed here, and packages of Debian cannot be had`)
  const home = await unpack(root, name)
  const unpacked = await programsIn(foldersBelow(home), name, home)
  if (unpacked === undefined) throw new Error(`Debian's packages for ${name} are in ${home}, but of another version`)
  return unpacked
}

async function programsIn(
  folders: readonly string[],
  name: ServerName,
  home: string | undefined,
): Promise<Programs | undefined> {
  const { kind, version: wanted } = editionOf(name)
  for (const folder of new Set(folders)) {
    const program = join(folder, main[kind])
    if (!existsSync(program)) continue
    const version = await versionOf(program, kind)
    if (version?.startsWith(wanted)) return { version, home, path: (one) => pathIn(folder, folders, one) }
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
