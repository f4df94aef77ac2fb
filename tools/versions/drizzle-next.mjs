// pnpm test:drizzle-next [VERSION [ARGUMENTS OF VITEST…]]: the tests on the next Drizzle, which is no promise yet: says what fails, and fails only if
// nothing could be run.
import { embedded, inCheckout, run, tally, useVersion } from './checkout.mjs'

const [version = '1.0.0-rc.5', ...more] = process.argv.slice(2)
const projects = [...embedded, 'drizzle-pg', 'drizzle-mysql', 'drizzle-mysql-mysql']

const { text, passed } = inCheckout((cwd) => {
  useVersion(cwd, 'drizzle-orm', version)
  const options = { cwd, env: { ...process.env, CI: '1', npm_config_user_agent: '' } }
  run('node', ['tools/pnpm.mjs', 'install', '--no-frozen-lockfile'], options)
  return tally(
    'node',
    ['node_modules/vitest/vitest.mjs', 'run', ...projects.map((p) => `--project=${p}`), ...more],
    options,
  )
})

console.log(`drizzle-orm ${version}: ${text}`)
process.exitCode = passed > 0 ? 0 : 1
