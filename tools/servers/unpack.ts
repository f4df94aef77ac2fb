import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, openSync, readdirSync, readSync, closeSync, statSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { editionOf, type ServerName } from './catalog.ts'
import { Suite } from './debian.ts'
import { locked } from './lock.ts'

const run = promisify(execFile)

const marker = 'daybook-versions.txt'

/** Where a server's packages are unpacked, or would be. */
export const packageFolder = (root: string, name: string): string => join(root, 'packages', name)

export const isUnpacked = (root: string, name: string): boolean => existsSync(join(packageFolder(root, name), marker))

/**
 * Unpacks a server's Debian packages into a folder of ours, with the libraries they were built for, and answers the folder.
 * Nothing is installed: no script of a package runs. The first time it downloads some tens of megabytes.
 */
export async function unpack(root: string, name: ServerName): Promise<string> {
  const { suite, packages } = editionOf(name)
  const patchelf = await patcher(root, suite)
  return unpackInto(root, name, suite, packages, (folder, final) => useOwnLibraries(patchelf, folder, final))
}

/** How patchelf is started: the machine's own, or one from Debian by the loader it was built for. */
async function patcher(root: string, suite: string): Promise<readonly [string, ...string[]]> {
  const found = await run('patchelf', ['--version']).catch(() => undefined)
  if (found !== undefined) return ['patchelf']
  const folder = await unpackInto(root, 'patchelf', suite, ['patchelf'], async () => {})
  const { loader, libraries } = librariesIn(folder)
  const at = (path: string) => join(folder, path)
  return [at(loader), '--library-path', libraries.map(at).join(':'), at('usr/bin/patchelf')]
}

async function unpackInto(
  root: string,
  name: string,
  suite: string,
  packages: readonly string[],
  finish: (folder: string, final: string) => Promise<void>,
): Promise<string> {
  const folder = packageFolder(root, name)
  return locked(folder, async () => {
    if (existsSync(join(folder, marker))) return folder
    const [downloads, unpacked] = [`${folder}.deb`, `${folder}.new`]
    await rm(folder, { recursive: true, force: true })
    for (const empty of [downloads, unpacked]) {
      await rm(empty, { recursive: true, force: true })
      mkdirSync(empty, { recursive: true })
    }
    await new Suite(root, suite).download(packages, downloads)
    const files = readdirSync(downloads).filter((file) => file.endsWith('.deb'))
    for (const file of files) await run('dpkg-deb', ['-x', join(downloads, file), unpacked])
    for (const prose of ['doc', 'man', 'locale', 'info'])
      await rm(join(unpacked, 'usr/share', prose), { recursive: true, force: true })
    await finish(unpacked, folder)
    await writeFile(join(unpacked, marker), `${files.toSorted().join('\n')}\n`)
    await rename(unpacked, folder)
    await rm(downloads, { recursive: true })
    return folder
  })
}

/**
 * Binds the programs to the loader and the libraries that came with them, for those of the machine may be older. `DT_RPATH`
 * and not `RUNPATH`: it also serves plug-ins that are opened later.
 */
async function useOwnLibraries(
  [patchelf, ...before]: readonly [string, ...string[]],
  folder: string,
  final: string,
): Promise<void> {
  const { loader, libraries } = librariesIn(folder)
  const path = libraries.map((library) => join(final, library)).join(':')
  const binding = ['--set-interpreter', join(final, loader), '--force-rpath', '--set-rpath', path]
  for (const file of programsIn(folder)) await run(patchelf, [...before, ...binding, file])
}

/** Where a folder of packages has its loader and its libraries, as paths in it. */
function librariesIn(folder: string): { loader: string; libraries: string[] } {
  const filesIn = (path: string) => (existsSync(join(folder, path)) ? readdirSync(join(folder, path)) : [])
  const libraries = ['usr/lib', 'lib'].flatMap((above) =>
    filesIn(above)
      .filter((name) => name.endsWith('-linux-gnu'))
      .map((name) => join(above, name)),
  )
  const [loader] = libraries.flatMap((library) =>
    filesIn(library)
      .filter((name) => /^ld-linux.*\.so\.\d+$/.test(name))
      .map((name) => join(library, name)),
  )
  if (loader === undefined) throw new Error(`there is no loader in ${folder}`)
  return { loader, libraries }
}

/** The programs that a loader starts: ELF files with an interpreter. */
function programsIn(folder: string): string[] {
  const postgres = join(folder, 'usr/lib/postgresql')
  const versions = existsSync(postgres) ? readdirSync(postgres).map((version) => join(postgres, version, 'bin')) : []
  return [join(folder, 'usr/bin'), join(folder, 'usr/sbin'), ...versions]
    .filter((bin) => existsSync(bin))
    .flatMap((bin) =>
      readdirSync(bin, { withFileTypes: true })
        .filter((e) => e.isFile())
        .map((e) => join(bin, e.name)),
    )
    .filter((file) => hasInterpreter(file))
}

function hasInterpreter(file: string): boolean {
  const head = Buffer.alloc(Math.min(4096, statSync(file).size))
  const opened = openSync(file, 'r')
  readSync(opened, head, 0, head.length, 0)
  closeSync(opened)
  return head.subarray(0, 4).toString('latin1') === '\x7FELF' && head.includes('/ld-linux')
}
