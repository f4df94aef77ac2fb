import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { errorCodes } from '../packages/core/src/errors.ts'
import { filesBelow, packages, published, read, root, rootManifest } from './workspace.ts'

/** What a package may know of the others. A new one states it here. */
const arrows: Record<string, readonly string[]> = {
  '@daybook/core': [],
  '@daybook/conformance': ['@daybook/core'],
  '@daybook/drizzle': ['@daybook/core'],
  '@daybook/drizzle-sqlite': ['@daybook/core', '@daybook/drizzle'],
  '@daybook/drizzle-pg': ['@daybook/core', '@daybook/drizzle'],
  '@daybook/drizzle-mysql': ['@daybook/core', '@daybook/drizzle'],
  '@daybook/adk': ['@daybook/core'],
  '@daybook/api': ['@daybook/core', '@daybook/drizzle-sqlite'],
}

const withoutComments = (source: string) => source.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, '')
const literals = (source: string) => withoutComments(source).match(/'[^'\n]*'|"[^"\n]*"|`[^`]*`/g) ?? []
const importsOf = (source: string) =>
  [...withoutComments(source).matchAll(/(?:\bfrom|\bimport)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '')

describe('dependencies point one way', () => {
  test.each(packages)('$manifest.name knows what it may know', ({ manifest }) => {
    const known = Object.keys(manifest.dependencies ?? {}).filter((name) => name.startsWith('@daybook/'))
    expect(arrows[manifest.name]).toEqual(known.toSorted())
  })

  test('@daybook/core has no dependencies, in its manifest and in its source', () => {
    const core = packages.find(({ path }) => path === 'packages/core')?.manifest
    expect({ ...core?.dependencies, ...core?.peerDependencies, ...core?.optionalDependencies }).toEqual({})
    const foreign = filesBelow('packages/core/src', '.ts')
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) => importsOf(read(file)).map((name) => `${file}: ${name}`))
      .filter((entry) => !/: (\.{1,2}\/|node:)/.test(entry))
    expect(foreign).toEqual([])
  })

  test('the engine names no database: where it wants to, the dialect lacks a verb or a fact', () => {
    const databases = /sqlite|postgres|\bpg\b|mysql|mariadb|libsql/i
    const named = filesBelow('packages/drizzle/src', '.ts').flatMap((file) =>
      literals(read(file))
        .filter((literal) => databases.test(literal))
        .map((literal) => `${file}: ${literal}`),
    )
    expect(named).toEqual([])
  })
})

describe('everything published looks alike', () => {
  test.each(published)('$manifest.name', ({ path, manifest }) => {
    expect(manifest).toMatchObject({
      license: 'Apache-2.0',
      type: 'module',
      sideEffects: false,
      engines: rootManifest.engines,
      publishConfig: { access: 'public' },
    })
    expect(manifest.files).toEqual(expect.arrayContaining(['dist', 'src', '!**/*.test.ts']))
    expect(read(`${path}/LICENSE`)).toBe(read('LICENSE'))
    expect(existsSync(`${root}${path}/README.md`)).toBe(true)
  })

  test('one version', () => {
    expect(new Set(published.map(({ manifest }) => manifest.version)).size).toBe(1)
  })

  test.each(published)('$manifest.name offers source first, then types, then code', ({ manifest }) => {
    const { './package.json': own, ...entries } = manifest.exports ?? {}
    expect(own).toBe('./package.json')
    const modules = Object.values(entries).filter((entry) => typeof entry !== 'string')
    expect(modules.length).toBeGreaterThan(0)
    for (const entry of modules) {
      expect(Object.keys(entry)).toEqual(['@daybook/source', 'types', 'default'])
    }
  })

  test('versions of others are in the catalog, once', () => {
    const stray = packages.flatMap(({ manifest }) =>
      Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })
        .filter(([, range]) => range !== 'catalog:' && range !== 'workspace:^')
        .map(([name, range]) => `${manifest.name}: ${name}@${range}`),
    )
    expect(stray).toEqual([])
  })

  test.each(['pnpm-lock.yaml', 'bench/pnpm-lock.yaml'])('%s names no registry', (lockfile) => {
    const hosts = read(lockfile)
      .split('\n')
      .filter((line) => /https?:\/\/|tarball:/.test(line) && !/^\s*deprecated:/.test(line))
    expect(hosts).toEqual([])
  })
})

describe('what a README tells to run is there', () => {
  const readmes = ['README.md', 'bench/README.md', ...packages.map(({ path }) => `${path}/README.md`)]

  test.each(readmes)('%s', (path) => {
    const text = read(path)
    const scripts = [...text.matchAll(/\bnpm (start|test)\b|\b(?:npm|pnpm|pnpm\.mjs) run ([\w:-]+)/g)]
      .map((match) => match[1] ?? match[2] ?? '')
      .filter((name) => rootManifest.scripts?.[name] === undefined)
    expect(scripts).toEqual([])
    const files = [...text.matchAll(/(?:^|[\s`])(?:node )?((?:tools|bench|\.ci)\/[\w./-]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((file) => !existsSync(`${root}${file}`))
    expect(files).toEqual([])
    // pnpm lets nobody import a package that they did not name, so an install line names the required peers.
    for (const [, line = ''] of text.matchAll(/\b(?:npm|pnpm|yarn) (?:install|add|i) ([^\n`|#]+)/g)) {
      const names = line.split(/\s+/).filter((word) => word !== '' && !word.startsWith('-'))
      for (const name of names.filter((word) => word.startsWith('@daybook/'))) {
        const manifest = published.find((candidate) => candidate.manifest.name === name)?.manifest
        expect(manifest, `${name} is published`).toBeDefined()
        const required = Object.keys(manifest?.peerDependencies ?? {}).filter(
          (peer) => manifest?.peerDependenciesMeta?.[peer]?.optional !== true,
        )
        expect(names).toEqual(expect.arrayContaining(required))
      }
    }
  })

  test('the two commands', () => {
    expect(read('README.md')).toMatch(/npm start[^]*npm test|npm test[^]*npm start/)
  })
})

describe('the pages', () => {
  const pages = ['packages', 'apps', 'docs', 'tools', 'conformance', 'bench']
    .flatMap((folder) => filesBelow(folder, '.md'))
    .concat('README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md')

  test.each(pages)('%s links to what is there', (path) => {
    const targets = [...read(path).matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)].map((match) => match[1] ?? '')
    const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/') + 1) : ''
    expect(targets.filter((target) => !existsSync(`${root}${folder}${target}`))).toEqual([])
  })

  test('docs/errors.md tells of every code, in their order', () => {
    const told = [...read('docs/errors.md').matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1])
    expect(told).toEqual(errorCodes)
  })
})
