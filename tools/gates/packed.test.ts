import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { missingServer, urlOfServer, type ServerBackend } from '../servers/found.ts'
import { published, read, root } from '../workspace.ts'
import { pnpm, run, tool } from './run.ts'

const folder = await mkdtemp(join(tmpdir(), 'daybook-gates-'))
const tarball = (name: string) =>
  join(folder, `${name.replace('@', '').replace('/', '-')}-${published[0]?.manifest.version}.tgz`)

beforeAll(async () => {
  for (const { path } of published) await pnpm(root + path, 'pack', '--pack-destination', folder)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test('no dead code and no stale config', () => tool(root, 'knip'))

describe.each(published)('$manifest.name as it would be published', ({ manifest: { name } }) => {
  test('publint has nothing to say', () => tool(root, 'publint', 'run', tarball(name), '--strict'))

  test('its types are right for ES modules', () =>
    tool(root, 'attw', tarball(name), '--profile', 'esm-only', '--no-definitely-typed'))
})

/** What is installed when somebody follows the README of a dialect, and nothing else. */
interface Dialect {
  readonly name: string
  /** The names behind `npm install` in its README. */
  readonly installs: readonly string[]
  /** Where the consumer keeps a session. */
  readonly url: string
  /** Why that is nowhere. */
  readonly missing: string | undefined
}

const catalog = (name: string) => new RegExp(`^  '?${name}'?: (.+)$`, 'm').exec(read('pnpm-workspace.yaml'))?.[1]
const dialects: readonly Dialect[] = (
  [['@daybook/drizzle-sqlite'], ['@daybook/drizzle-pg', 'pg'], ['@daybook/drizzle-mysql', 'mariadb']] satisfies [
    string,
    ServerBackend?,
  ][]
).map(([name, backend]) => {
  const readme = read(`packages/${name.slice('@daybook/'.length)}/README.md`)
  const [, installs = ''] = new RegExp(`^npm install (${name} .*)$`, 'm').exec(readme) ?? []
  if (backend === undefined) return { name, installs: installs.split(' '), url: ':memory:', missing: undefined }
  const url = urlOfServer(backend) ?? 'mysql://nobody@127.0.0.1:1/'
  return { name, installs: installs.split(' '), url, missing: missingServer(backend) }
})
const drivers = ['pg', 'postgres', 'mysql2', 'better-sqlite3', '@libsql/client', '@electric-sql/pglite']
const dialectNames = dialects.map(({ name }) => name)

// These would come from the registry.
const overrides = {
  '@daybook/core': `file:${tarball('@daybook/core')}`,
  '@daybook/drizzle': `file:${tarball('@daybook/drizzle')}`,
}
const dependenciesOf = ({ installs }: Dialect) =>
  Object.fromEntries(
    installs.map((name) => [name, dialectNames.includes(name) ? `file:${tarball(name)}` : catalog(name)]),
  )

const managers = {
  npm: async (cwd: string, dialect: Dialect) => {
    const manifest = { type: 'module', dependencies: dependenciesOf(dialect), overrides }
    await writeFile(join(cwd, 'package.json'), JSON.stringify(manifest))
    await run(cwd, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund')
  },
  pnpm: async (cwd: string, dialect: Dialect) => {
    const manifest = { type: 'module', dependencies: dependenciesOf(dialect) }
    await writeFile(join(cwd, 'package.json'), JSON.stringify(manifest))
    await writeFile(join(cwd, 'pnpm-workspace.yaml'), JSON.stringify({ pmOnFail: 'ignore', overrides }))
    await pnpm(cwd, 'install', '--prefer-offline', '--no-frozen-lockfile')
  },
}

const installed = Object.entries(managers).flatMap(([manager, install]) =>
  dialects.map((dialect) => ({ name: dialect.name, dialect, manager, install })),
)

describe.each(installed)('$name in an empty folder, with $manager', ({ dialect, manager, install }) => {
  const cwd = join(folder, manager, dialect.name)

  beforeAll(async () => {
    await mkdir(cwd, { recursive: true })
    await install(cwd, dialect)
    await writeFile(join(cwd, 'consumer.mjs'), consumerOf(dialect))
    await inServer('create')
  })
  afterAll(() => inServer('drop'))

  /** The consumer has a database of its own: the tables of another version may be in any other. */
  async function inServer(verb: 'create' | 'drop') {
    const program = dialect.missing === undefined ? programs[dialect.installs.at(-1) ?? ''] : undefined
    if (program !== undefined)
      await run(cwd, process.execPath, '-e', program(dialect.url, `${verb} database ${database}`))
  }

  test('brings no other database driver', async () => {
    const paths = await readdir(join(cwd, 'node_modules'), { recursive: true })
    const isThere = (name: string) => paths.some((path) => path === name || path.endsWith(`node_modules/${name}`))
    expect([...drivers, ...dialectNames].filter(isThere).toSorted()).toEqual(
      dialect.installs.filter((name) => name !== 'drizzle-orm').toSorted(),
    )
  })

  test('keeps a session', async ({ skip }) => {
    if (dialect.missing !== undefined) skip(dialect.missing)
    expect(await run(cwd, process.execPath, 'consumer.mjs')).toBe('hi\n')
  })

  test('keeps a session in a worker thread', async ({ skip }) => {
    if (!dialect.installs.includes('@libsql/client')) skip('only SQLite has a worker')
    const program = consumerOf(dialect).replace("url: ':memory:'", "url: ':memory:', worker: true")
    await writeFile(join(cwd, 'in-worker.mjs'), program)
    expect(program).toContain('worker: true')
    expect(await run(cwd, process.execPath, 'in-worker.mjs')).toBe('hi\n')
  })

  test('has types that a strict consumer can use', () =>
    tool(
      cwd,
      'tsc',
      ...'--strict --checkJs --noEmit --module nodenext --target es2022 --skipLibCheck consumer.mjs'.split(' '),
    ))
})

describe('@daybook/adk in an empty folder', () => {
  const cwd = join(folder, 'adk')

  beforeAll(async () => {
    await mkdir(cwd, { recursive: true })
    const dependencies = {
      '@daybook/adk': `file:${tarball('@daybook/adk')}`,
      '@daybook/core': overrides['@daybook/core'],
      '@google/adk': catalog('@google/adk'),
    }
    await writeFile(join(cwd, 'package.json'), JSON.stringify({ type: 'module', dependencies }))
    const allowBuilds = { '@google/genai': false, protobufjs: false }
    await writeFile(join(cwd, 'pnpm-workspace.yaml'), JSON.stringify({ pmOnFail: 'ignore', allowBuilds, overrides }))
    await pnpm(cwd, 'install', '--prefer-offline', '--no-frozen-lockfile')
    await cp(new URL('adk-consumer.mjs', import.meta.url), join(cwd, 'consumer.mjs'))
  })

  test('brings no database driver and no dialect', async () => {
    const paths = await readdir(join(cwd, 'node_modules'), { recursive: true })
    const isThere = (name: string) => paths.some((path) => path === name || path.endsWith(`node_modules/${name}`))
    expect([...drivers, ...dialectNames, '@daybook/drizzle'].filter(isThere)).toEqual([])
  })

  test('keeps a session, and says what to install for a database', async () => {
    expect(await run(cwd, process.execPath, 'consumer.mjs')).toBe(
      'hi\nunsupported: the packages for postgres: are not installed: npm install @daybook/drizzle-pg drizzle-orm pg\n',
    )
  })
})

const database = `daybook_packed_${randomBytes(6).toString('hex')}`

/** Sends a statement by the driver that the dialect brought, whose name is the last one of its README's install line. */
const programs: Readonly<Record<string, (url: string, statement: string) => string>> = {
  pg: (url, statement) => `const client = new (require('pg').Client)(${JSON.stringify(url)})
    client.connect().then(() => client.query('${statement}')).then(() => client.end())`,
  mysql2: (url, statement) => `require('mysql2/promise').createConnection(${JSON.stringify(url)})
    .then((connection) => connection.query('${statement}').then(() => connection.end()))`,
}

/** The same program for each dialect, but for the names of the package and of what it opens. */
function consumerOf({ name, url }: Dialect): string {
  const open = { '@daybook/drizzle-pg': 'openPgStore', '@daybook/drizzle-mysql': 'openMysqlStore' }[name]
  return readFileSync(new URL('consumer.mjs', import.meta.url), 'utf8')
    .replace('@daybook/drizzle-sqlite', name)
    .replaceAll('openSqliteStore', open ?? 'openSqliteStore')
    .replace("':memory:'", () =>
      url === ':memory:' ? "':memory:'" : JSON.stringify(Object.assign(new URL(url), { pathname: database }).href),
    )
}
