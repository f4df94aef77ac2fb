import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startServer, newPlace } from './process.ts'

const marker = '=== expected above ==='

const run = promisify(execFile)
const missing = await Promise.all([run('bash', ['--version']), run('curl', ['--version'])]).then(
  () => false,
  () => true,
)

test('the walk through the API in the README runs as it is written', async ({ skip }) => {
  skip(missing, 'bash or curl is not installed')
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const commands = Array.from(readme.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = '']) => block).join('\n')
  const expected = Array.from(commands.matchAll(/(?:^# → .*\n)+/gm), ([lines]) =>
    lines.trimEnd().replaceAll(/^# → /gm, '').split('\n'),
  )
  expect(expected.length).toBeGreaterThan(12)

  const place = await newPlace()
  const { url } = await startServer(place, { ASSISTANT_WORD_DELAY: '0' })
  const script = commands.replaceAll(/(?:^# → .*\n)+/gm, `echo; echo '${marker}'\n`)
  // `-e`: every command succeeds, or this fails with what it said.
  const { stdout } = await run('bash', ['-eu', '-c', script], {
    cwd: place.folder,
    env: { ...process.env, no_proxy: '127.0.0.1', BASE: url },
  })

  const outputs = stdout.split(`${marker}\n`)
  expect(outputs).toHaveLength(expected.length + 1)
  for (const [i, texts] of expected.entries()) {
    for (const text of texts) expect(outputs[i]).toMatch(pattern(text))
  }
})

/** The text as it is, with … for anything. */
const pattern = (text: string) =>
  new RegExp(
    text
      .split('…')
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*'),
    's',
  )
