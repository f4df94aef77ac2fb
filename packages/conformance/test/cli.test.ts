import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import type { Certificate } from '../src/certificate.ts'
import { commands } from '../src/commands/index.ts'
import { UsageError } from '../src/commands/command.ts'
import { shapeViolations } from '../src/certificate-shape.ts'
import type { Replay } from '../src/replay.ts'

const folder = await mkdtemp(join(tmpdir(), 'daybook-cli-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const loader = new URL('../bin/typescript.mjs', import.meta.url).href
const store = (name: string) => pathOf(`subjects/${name}.ts`)
const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'))

/** The program as it stands in the sources; the gates run it out of the tarball. */
const cli = (
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<{ code: number; text: string }> =>
  new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--conditions=@daybook/source', '--no-warnings', '--import', loader, pathOf('../src/cli.ts'), ...args],
      { cwd: folder, env: { ...process.env, ...env } },
      (error, stdout, stderr) => resolve({ code: Number(error?.code ?? 0), text: stdout + stderr }),
    )
  })

test.each([
  [['fly'], 'there is no command fly'],
  [['run', 'nothing.ts'], 'there is no file nothing.ts'],
  [['verify', pathOf('../package.json')], 'is no certificate: $.format is missing'],
])('%j is answered by a sentence, exit code 3 and no stack', async (args, sentence) => {
  const { code, text } = await cli(args)
  expect(code).toBe(3)
  expect(text).toContain(sentence)
  expect(text).not.toMatch(/^\s+at /m)
})

test.each([
  ['run', [], 'the file of the store is missing'],
  ['run', ['a.ts', 'b.ts'], 'the file of the store is one, so not also b.ts'],
  ['run', ['a.ts', '--level', 'high'], '--level is core or concurrent or durable, not high'],
  ['run', ['a.ts', '--seed', 'x'], '--seed is a whole number from 0, not x'],
  ['run', ['a.ts', '--only', 'EVT-99'], 'no check of level concurrent is EVT-99'],
  ['run', ['a.ts', '--fast'], "Unknown option '--fast'"],
  ['list', ['EVT'], 'list takes no EVT'],
  ['explain', ['EVT-99'], 'there is no check EVT-99'],
  ['replay', [], 'replay takes a file'],
  ['replay', [pathOf('../package.json')], 'is no replay file'],
  ['matrix', [], 'matrix takes the files of certificates'],
  ['clean', ['a.ts', '--older-than', '-1'], 'older-than'],
])('%s %j is refused by a sentence', async (name, args, sentence) => {
  const call = async () => commands[name]?.run(args)
  await expect(call()).rejects.toThrow(UsageError)
  await expect(call()).rejects.toThrow(sentence)
})

test('a failing check leaves a file that fails again in the same way, and passes once the store is mended', async () => {
  const out = join(folder, 'failed')
  const first = await cli(['run', store('lying-delete'), '--only', 'SES-14', '--seed', '7', '--out', out])
  expect(first).toMatchObject({ code: 1 })
  const path = join(out, 'replay-SES-14.json')
  const replay = (await json(path)) as Replay // it was just written
  expect(replay).toMatchObject({
    check: 'SES-14',
    seed: 7,
    counterexample: { replayPath: expect.any(String) as string },
  })
  const again = await cli(['replay', path])
  expect(again.code).toBe(1)
  // The same shrunk commands, and not another search for them.
  expect(commandsIn(again.text)).toBe(commandsIn(replay.what))
  expect((await cli(['replay', path], { DAYBOOK_TEST_FIXED: '1' })).code).toBe(0)
})

const commandsIn = (text: string) => /after (.*?)\s*\/\*replayPath/.exec(text)?.[1] ?? 'no commands'

test('a run leaves certificate, page, junit and badge, and verify notices what was changed', async () => {
  const out = join(folder, 'report')
  expect((await cli(['run', store('leftovers'), '--only', 'SES-01,SES-02', '--out', out])).code).toBe(2)
  expect((await readdir(out)).toSorted()).toEqual(['CONFORMANCE.md', 'badge.svg', 'certificate.json', 'junit.xml'])
  const path = join(out, 'certificate.json')
  const certificate = (await json(path)) as Certificate // it was just written
  expect(shapeViolations(certificate)).toEqual([])
  expect((await cli(['verify', path])).code).toBe(2)
  const forged = { ...certificate, kind: 'full', verdict: 'certified', level: 'concurrent' }
  await writeFile(path, JSON.stringify(forged))
  const { code, text } = await cli(['verify', path])
  expect(code).toBe(1)
  expect(text).toContain('the plan hash is unknown to this suite')
})

test('the matrix of two stores has no blank cell', async () => {
  const files = ['sqlite', 'pg'].map((name) => pathOf(`../../../conformance/${name}.json`))
  const { text } = await cli(['matrix', ...files])
  const rows = text.split('\n').filter((line) => line.startsWith('|'))
  expect(rows.length).toBeGreaterThan(20)
  expect(new Set(rows.map((line) => line.split('|').length))).toEqual(new Set([5]))
  expect(rows.slice(1).filter((line) => /\|\s*\|/.test(line))).toEqual([])
})

test('explain names the rule, why it is one, what it kills and where it is written', async () => {
  const { code, text } = await cli(['explain', 'EVT-07'])
  expect(code).toBe(0)
  expect(text).toMatch(/EVT-07 \(core\): no method changes an event[^]*why: [^]*kills M53[^]*evt\.ts:\d+/)
})

test('every check has its place in the sources', async () => {
  const { text } = await cli(['list'])
  const ids = new Set([...text.matchAll(/^([A-Z]+-\d\d)\S* \(/gm)].map((match) => match[1] ?? ''))
  expect(ids.size).toBeGreaterThan(120)
  const folderOfChecks = pathOf('../src/checks')
  const sources = await Promise.all(
    (await readdir(folderOfChecks)).map((name) => readFile(join(folderOfChecks, name), 'utf8')),
  )
  expect([...ids].filter((id) => !sources.some((source) => source.includes(`'${id}'`)))).toEqual([])
})

test('clean drops what killed runs left, and neither what is young nor what is not ours', async () => {
  const places = join(folder, 'places')
  const old = `c${(Date.now() - 7_200_000).toString(36)}_4711_1`
  const young = `c${Date.now().toString(36)}_4711_2_m`
  for (const name of [old, young, 'c_mine', 'customers']) await mkdir(join(places, name), { recursive: true })
  const env = { DAYBOOK_TEST_FOLDER: places }
  expect((await cli(['clean', store('leftovers'), '--dry-run'], env)).text).toContain(`would drop ${old}`)
  expect((await cli(['clean', store('leftovers')], env)).code).toBe(0)
  expect((await readdir(places)).toSorted()).toEqual(['c_mine', young, 'customers'].toSorted())
})

test('init writes a subject that runs, and overwrites nothing', async () => {
  const own = join(folder, 'mine')
  await mkdir(own)
  expect((await cli(['init', own])).code).toBe(0)
  expect(await readFile(join(own, 'my-store.conformance.ts'), 'utf8')).toContain('defineStoreUnderTest')
  expect(await cli(['init', own])).toMatchObject({ code: 3 })
  const { code, text } = await cli(['run', pathOf('../templates/my-store.conformance.ts'), '--only', 'LIFE-10,SES-*'])
  expect([code, text]).toEqual([2, expect.stringMatching(/ 0 failed, 0 skipped\s*$/)])
})

test('the README shows the subject that init writes', async () => {
  const template = await readFile(pathOf('../templates/my-store.conformance.ts'), 'utf8')
  expect(await readFile(pathOf('../README.md'), 'utf8')).toContain(`\`\`\`ts\n${template}\`\`\``)
})
