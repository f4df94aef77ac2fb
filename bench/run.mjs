// pnpm bench …: installs what is measured here and nowhere else, builds the packages, and loads the TypeScript of this folder as it is.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const at = (path) => fileURLToPath(new URL(path, import.meta.url))

function must(args, cwd = at('..')) {
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: ['inherit', 2, 2] })
  if (status !== 0) process.exit(status ?? 1)
}

const pnpm = at('../tools/pnpm.mjs')
if (!existsSync(at('node_modules/.modules.yaml'))) must([pnpm, 'install', '--frozen-lockfile'], at('.'))
must([at('../tools/build-native.mjs')])
buildSqlite3()
must([pnpm, 'exec', 'turbo', 'run', 'build', '--filter=./packages/*', '--output-logs=errors-only'])

/** What ADK runs on SQLite with; it comes without its binding, and where that cannot be built ADK is left out there. */
function buildSqlite3() {
  const folder = realpathSync(at('node_modules/@mikro-orm/sqlite'))
  const own = realpathSync(`${folder}/../../sqlite3`)
  if (existsSync(`${own}/build`)) return
  console.error('sqlite3 is being built, which takes some minutes, once')
  spawnSync('npm', ['run', 'install', '--no-update-notifier'], { cwd: own, stdio: 'ignore', timeout: 900_000 })
  mkdirSync(`${own}/build`, { recursive: true }) // tried
}

const { status } = spawnSync(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    `--import=${new URL('../packages/conformance/bin/typescript.mjs', import.meta.url).href}`,
    at('main.ts'),
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
)
process.exitCode = status ?? 1
