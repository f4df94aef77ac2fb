// pnpm test:drizzle-next [VERSION [ARGUMENTS OF VITEST…]]: the tests on the next Drizzle, which is no promise yet: says what fails, and fails only if
// nothing could be run.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { inCheckout, run, tally, useVersion } from './checkout.mjs'

const [version = '1.0.0-rc.5', ...more] = process.argv.slice(2)
const packages = ['drizzle', 'drizzle-sqlite', 'drizzle-pg', 'drizzle-mysql']
// The app's tests begin with a build, which wants all types to be right.
const projects = [...packages, 'drizzle-mysql-mysql']

const { text, passed } = inCheckout((cwd) => {
  useVersion(cwd, 'drizzle-orm', version)
  const options = { cwd, env: { ...process.env, CI: '1', npm_config_user_agent: '' } }
  run('node', ['tools/pnpm.mjs', 'install', '--no-frozen-lockfile'], options)
  const types = packages.map((name) => `${name} ${typeErrors(join(cwd, 'packages', name))}`)
  console.log(`errors of types: ${types.join(', ')}`)
  return tally(
    'node',
    ['node_modules/vitest/vitest.mjs', 'run', ...projects.map((p) => `--project=${p}`), ...more],
    options,
  )
})

function typeErrors(cwd) {
  const { stdout } = spawnSync('node_modules/.bin/tsc', ['-p', 'tsconfig.json'], { cwd, encoding: 'utf8' })
  process.stdout.write(stdout)
  return stdout.split('\n').filter((line) => /: error TS\d+:/.test(line)).length
}

console.log(`drizzle-orm ${version}: ${text}`)
process.exitCode = passed > 0 ? 0 : 1
