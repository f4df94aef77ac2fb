// better-sqlite3 comes without its binding. It is built here, for the tests, and not at install: nobody who only runs the app
// should wait for a compiler, and a machine without one still has everything else. Says what happened in one line.
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { existsSync, realpathSync, writeFileSync } from 'node:fs'

const require = createRequire(import.meta.url)

/** In a process of its own: a module that failed to load is not tried again in the same one. */
const loads = () =>
  spawnSync(process.execPath, ['-e', "new (require('better-sqlite3'))(':memory:').close()"], {
    cwd: import.meta.dirname,
  }).status === 0

function build() {
  const folder = realpathSync(dirname(require.resolve('better-sqlite3/package.json')))
  const failedBefore = `${folder}/.daybook-build-failed`
  if (existsSync(failedBefore) && process.env['CI'] === undefined)
    return `was not built before; to try again remove ${failedBefore.slice(failedBefore.indexOf('node_modules'))}`
  const { status, stderr } = spawnSync('npm', ['run', 'install', '--no-update-notifier'], {
    cwd: folder,
    encoding: 'utf8',
    timeout: 600_000,
  })
  if (status === 0 && loads()) return 'was built'
  writeFileSync(failedBefore, stderr)
  return 'cannot be built here (no compiler, or no headers of Node); its tests will say so'
}

try {
  if (!loads()) console.log(`better-sqlite3 ${build()}`)
} catch (error) {
  console.log(`better-sqlite3 is not installed (${error.code}); its tests will say so`)
}
