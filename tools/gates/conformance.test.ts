import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { published, root } from '../workspace.ts'
import { pnpm, run } from './run.ts'

// META-07: the suite as others get it. A packed program that cannot run any file is found here and nowhere else.
const folder = await mkdtemp(join(tmpdir(), 'daybook-program-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const own = ['@daybook/core', '@daybook/conformance']

beforeAll(async () => {
  const packed = published.filter(({ manifest }) => own.includes(manifest.name))
  for (const { path } of packed) await pnpm(root + path, 'pack', '--pack-destination', folder)
  const tarball = (name: string) =>
    `file:${join(folder, `${name.slice(1).replace('/', '-')}-${packed[0]?.manifest.version}.tgz`)}`
  const dependencies = Object.fromEntries(own.map((name) => [name, tarball(name)]))
  // What `npm init` writes: TypeScript that imports is a module all the same.
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'commonjs', dependencies }))
  await run(folder, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund')
})

/** The program of the package, by its name in node_modules/.bin. */
const program = (...args: readonly string[]): Promise<{ code: number; text: string }> =>
  new Promise((resolve) => {
    execFile(join(folder, 'node_modules/.bin/daybook-conformance'), args, { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), text: stdout + stderr }),
    )
  })

const goodModule = (name: string) => `
import { pathToFileURL } from 'node:url'
import { createInMemoryDatabase, createInMemoryStore } from '@daybook/core'
import { defineStoreUnderTest } from '@daybook/conformance'
export const openWorkerStore = async () => createInMemoryStore()
export default defineStoreUnderTest({
  subject: { name: 'good', version: '1' },
  contract: '1.0',
  expects: createInMemoryStore({ embeddingDimensions: 2 }).capabilities, // the suite opens it with some
  async provision() {
    const database = createInMemoryDatabase()
    return {
      open: async ({ via, poolMax, role, ...options } = {}) => createInMemoryStore({ database, ...options }),
      worker: { module: pathToFileURL(${name}).href, args: 1 },
      lacks: ['roles', 'pool', 'schema', 'locks'],
      destroy: async () => {},
    }
  },
})
`

/** A module as CommonJS says the same. */
const asCommonJs = (text: string) =>
  text
    .replaceAll(/^import (\{[^}]*\}|\w+) from ('[^']*')$/gm, 'const $1 = require($2)')
    .replace('export const openWorkerStore', 'const openWorkerStore')
    .replace('export default', 'module.exports =')
    .concat(text.includes('openWorkerStore') ? 'module.exports.openWorkerStore = openWorkerStore\n' : '')

const opening = (open: string) => (good: string) =>
  `
import good from '${good}'
export default { ...good, provision: async (place) => ({ ...(await good.provision(place)), open: ${open} }) }
`
const broken = opening(`async () => {
  const store = await (await good.provision({ id: 'x' })).open()
  return { ...store, sessions: { ...store.sessions, count: async () => 7 } }
}`)
const empty = opening('async () => ({})')

/** Each format as its authors write it: TypeScript with types that have to go, and imports by the compiler's name. */
const formats = {
  ts: { level: 'concurrent', name: 'import.meta.filename', from: './good.js', as: (text: string) => typed(text) },
  mts: { level: 'core', name: 'import.meta.filename', from: './good.mjs', as: (text: string) => typed(text) },
  mjs: { level: 'core', name: 'import.meta.filename', from: './good.mjs', as: (text: string) => text },
  cjs: { level: 'concurrent', name: '__filename', from: './good.cjs', as: asCommonJs },
}
const typed = (text: string) => `${text}\nenum Kind { Store = 'store' }\ninterface Unused { readonly kind: Kind }\n`

describe.each(Object.entries(formats))('a store in .%s', (format, { level, name, from, as }) => {
  const cwd = join(folder, format)
  const file = (which: string) => join(cwd, `${which}.${format}`)

  beforeAll(async () => {
    await mkdir(cwd)
    await writeFile(file('good'), as(goodModule(name)))
    await writeFile(file('broken'), as(broken(from)))
    await writeFile(file('empty'), as(empty(from)))
  })

  // The whole suite up to a level: in memory that is seconds, and a filter would end with 2. From level concurrent on another
  // process reads the same format.
  test('that is good is certified: exit code 0', async () => {
    const { code, text } = await program('run', file('good'), '--level', level, '--out', join(cwd, 'out'))
    expect(text).toContain(`certified (full), level reached: ${level}`)
    expect(code).toBe(0)
    const again = await program('verify', join(cwd, 'out/certificate.json'))
    expect(again).toMatchObject({ code: 0, text: expect.stringContaining('as it says') as string })
  })

  test('that is broken fails: exit code 1, and a file that fails again', async () => {
    const { code, text } = await program('run', file('broken'), '--only', 'SES-16', '--out', join(cwd, 'out'))
    expect(text).toMatch(/^(fail|error) SES-16/m)
    expect(code).toBe(1)
    expect(await program('replay', join(cwd, 'out/replay-SES-16.json'))).toMatchObject({ code: 1 })
  })

  test('that is empty cannot start: exit code 3, and a sentence', async () => {
    const { code, text } = await program('run', file('empty'))
    expect(text).toMatch(/^could not start: open\(\) did not answer a store$/m)
    expect(text).not.toMatch(/^\s+at /m)
    expect(code).toBe(3)
  })
})

test('the subject that init writes passes as tests of node:test', async () => {
  const cwd = join(folder, 'mine')
  await mkdir(cwd)
  expect(await program('init', cwd)).toMatchObject({ code: 0 })
  expect(await readdir(cwd)).toHaveLength(2)
  const flags = ['--import', '@daybook/conformance/typescript', '--test']
  const text = await run(folder, process.execPath, ...flags, join(cwd, 'my-store.conformance.test.ts'))
  expect(text).toMatch(/^# fail 0$|ℹ fail 0$/m)
})

test('the certificate names the code that judged, and its schema comes along', async () => {
  const certificate: unknown = JSON.parse(await readFile(join(folder, 'mjs/out/certificate.json'), 'utf8'))
  expect(certificate).toMatchObject({ suiteHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string })
  const schema = 'JSON.stringify(require("@daybook/conformance/certificate.schema.json").title)'
  expect(await run(folder, process.execPath, '-p', schema)).toBe('"Certificate of a Daybook store"\n')
})
