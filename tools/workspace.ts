import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly license?: string
  readonly type?: string
  readonly sideEffects?: boolean
  readonly files?: readonly string[]
  readonly engines?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly scripts?: Readonly<Record<string, string>>
  readonly publishConfig?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

export interface Package {
  /** From the root, such as `packages/core`. */
  readonly path: string
  readonly manifest: Manifest
}

export const read = (path: string): string => readFileSync(`${root}${path}`, 'utf8')
const readManifest = (folder: string): Manifest => JSON.parse(read(`${folder}/package.json`)) as Manifest // a package.json, or npm would have refused it

export const rootManifest: Manifest = readManifest('.')
export const packages: readonly Package[] = ['packages', 'apps']
  .flatMap((parent) => readdirSync(`${root}${parent}`).map((name) => `${parent}/${name}`))
  .filter((path) => existsSync(`${root}${path}/package.json`))
  .map((path) => ({ path, manifest: readManifest(path) }))
export const published: readonly Package[] = packages.filter(({ manifest }) => manifest.private !== true)

/** The files below a folder whose names end so, from the root. */
export const filesBelow = (folder: string, ending: string): readonly string[] =>
  readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith(ending) && !path.includes('node_modules'))
    .map((path) => `${folder}/${path}`)
    .toSorted()
