// pnpm test:drizzle-next [VERSION [ARGUMENTS OF VITEST…]]: the dialects on the next Drizzle, which is no promise yet. What is known to
// fail is listed; what fails beside it is new, and a failure.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { inCheckout, run, tally, useVersion } from './checkout.mjs'

const [version = '1.0.0-rc.5', ...more] = process.argv.slice(2)
const packages = ['drizzle', 'drizzle-sqlite', 'drizzle-pg', 'drizzle-mysql']
// The app's tests begin with a build, which wants all types to be right.
const projects = [...packages, 'drizzle-mysql-mysql']

const kit = 'drizzle-kit 0.31 does not know it, and tells nobody what it would generate'
const codecs =
  'columns of the application in a database that the store opened: without Drizzle’s new codecs a boolean comes as 0 or 1'

/** Files whose tests fail, and why. docs/support.md says the same. */
const known = {
  'packages/drizzle/test/statements.test.ts': 'it makes a dialect of SQLite by the name that is gone',
  'packages/drizzle-sqlite/test/codec.test.ts': codecs,
  'packages/drizzle-sqlite/test/native.test.ts': codecs,
  'packages/drizzle-sqlite/test/transaction.test.ts': codecs,
  'packages/drizzle-sqlite/test/schema.test.ts': kit,
  'packages/drizzle-pg/test/schema.test.ts': kit,
  'packages/drizzle-mysql/test/schema.test.ts': kit,
}

const { failing, tests, suite } = inCheckout((cwd) => {
  useVersion(cwd, 'drizzle-orm', version)
  const options = { cwd, env: { ...process.env, CI: '1', npm_config_user_agent: '' } }
  run('node', ['tools/pnpm.mjs', 'install', '--no-frozen-lockfile'], options)
  const types = packages.map((name) => `${name} ${typeErrors(join(cwd, 'packages', name))}`)
  console.log(`errors of types: ${types.join(', ')}`)
  const report = join(cwd, 'report.json')
  // The suite is run below: as tests of every backend it takes longer than all the others.
  const args = [
    '--exclude=**/conformance.test.ts',
    '--reporter=default',
    '--reporter=./tools/tally.ts',
    '--reporter=json',
  ]
  const chosen = [...projects.map((name) => `--project=${name}`), ...more]
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...args, `--outputFile.json=${report}`, ...chosen]
  return {
    tests: tally('node', vitest, options),
    failing: failingFiles(report, cwd),
    suite: tally('node', ['packages/conformance/bin/backend.mjs', '--backend', 'sqlite', '--level', 'core'], options),
  }
})

function typeErrors(cwd) {
  const { stdout } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.json'], { cwd, encoding: 'utf8' })
  return stdout.split('\n').filter((line) => /: error TS\d+:/.test(line)).length
}

function failingFiles(report, cwd) {
  const { testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const failed = testResults.filter(({ status }) => status === 'failed').map(({ name }) => relative(cwd, name))
  return [...new Set(failed)]
}

const fresh = failing.filter((file) => !Object.hasOwn(known, file))
for (const file of failing) console.log(`${file}: ${known[file] ?? 'NEW'}`)
for (const file of Object.keys(known).filter((one) => !failing.includes(one)))
  console.log(`${file}: listed, and did not fail or was not run`)
console.log(
  `drizzle-orm ${version}: ${tests.text}; the suite on SQLite: ${suite.text}; ${fresh.length} files fail that are not listed`,
)
process.exitCode = tests.passed > 0 && fresh.length === 0 && suite.failed === 0 ? 0 : 1
