import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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

/** What the README names, and nothing else: `install @daybook/drizzle-sqlite drizzle-orm @libsql/client`. */
const catalog = (name: string) => new RegExp(`^  '?${name}'?: (.+)$`, 'm').exec(read('pnpm-workspace.yaml'))?.[1]
const dependencies = {
  '@daybook/drizzle-sqlite': `file:${tarball('@daybook/drizzle-sqlite')}`,
  'drizzle-orm': catalog('drizzle-orm'),
  '@libsql/client': catalog('@libsql/client'),
}
// These would come from the registry.
const overrides = {
  '@daybook/core': `file:${tarball('@daybook/core')}`,
  '@daybook/drizzle': `file:${tarball('@daybook/drizzle')}`,
}
const others = ['pg', 'postgres', 'mysql2', 'better-sqlite3', '@electric-sql/pglite', '@daybook/drizzle-pg']

const managers = {
  npm: async (cwd: string) => {
    await writeFile(join(cwd, 'package.json'), JSON.stringify({ type: 'module', dependencies, overrides }))
    await run(cwd, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund')
  },
  pnpm: async (cwd: string) => {
    await writeFile(join(cwd, 'package.json'), JSON.stringify({ type: 'module', dependencies }))
    await writeFile(join(cwd, 'pnpm-workspace.yaml'), JSON.stringify({ pmOnFail: 'ignore', overrides }))
    await pnpm(cwd, 'install', '--prefer-offline', '--no-frozen-lockfile')
  },
}

describe.each(Object.entries(managers))('@daybook/drizzle-sqlite in an empty folder, with %s', (manager, install) => {
  const cwd = join(folder, manager)

  beforeAll(async () => {
    await mkdir(cwd)
    await install(cwd)
    await copyFile(new URL('consumer.mjs', import.meta.url), join(cwd, 'consumer.mjs'))
  })

  test('brings no other database driver', async () => {
    const paths = await readdir(join(cwd, 'node_modules'), { recursive: true })
    const drivers = paths.filter((path) =>
      others.some((name) => path.endsWith(`node_modules/${name}`) || path === name),
    )
    expect(paths).toContain('@daybook/drizzle-sqlite')
    expect(drivers).toEqual([])
  })

  test('keeps a session', async () => {
    expect(await run(cwd, process.execPath, 'consumer.mjs')).toBe('hi\n')
  })

  test('has types that a strict consumer can use', () =>
    tool(
      cwd,
      'tsc',
      ...'--strict --checkJs --noEmit --module nodenext --target es2022 --skipLibCheck consumer.mjs'.split(' '),
    ))
})
