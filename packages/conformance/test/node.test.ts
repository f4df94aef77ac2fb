import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const pathOf = (path: string) => fileURLToPath(new URL(path, import.meta.url))

// `node --test` in another process: within vitest its tests would report to nobody.
const nodeTest = (file: string): Promise<{ code: number; text: string }> =>
  new Promise((resolve) => {
    const loader = new URL('../bin/typescript.mjs', import.meta.url).href
    const flags = ['--conditions=@daybook/source', '--no-warnings', '--import', loader, '--test', '--test-reporter=tap']
    execFile(process.execPath, [...flags, pathOf(file)], (error, stdout, stderr) =>
      resolve({ code: Number(error?.code ?? 0), text: stdout + stderr }),
    )
  })

test('node:test shows each check as a test, what is inapplicable as skipped, and what fails as failed', async () => {
  const [good, broken] = await Promise.all([nodeTest('subjects/good.node.ts'), nodeTest('subjects/broken.node.ts')])
  expect(good).toMatchObject({ code: 0 })
  expect(good.text).toMatch(/ ok \d+ - SES-01 [^#\n]*\n/)
  expect(good.text).toMatch(/ ok \d+ - LIFE-08 [^\n]*# SKIP the database has no roles/)
  expect(broken).toMatchObject({ code: 1 })
  expect(broken.text).toMatch(/not ok \d+ - SES-10 [^]*first delete[^]*expected: false/)
})
