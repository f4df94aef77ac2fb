// pnpm test:nodes [VERSION…]: what can depend on Node and needs no server, on each Node we support. The Nodes come from npm, for
// Linux. The rest of the tests is run on one Node, by `npm test`.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { inCheckout, run, tally } from './checkout.mjs'

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20.20', '22', '24']

const vitest = (...args) => ['node_modules/vitest/vitest.mjs', 'run', ...args]
const suite = (backend, level) => ['packages/conformance/bin/backend.mjs', '--backend', backend, '--level', level]

/** Each part of a run: what Node is given, or why there is nothing to run. */
const parts = (major) => ({
  core: vitest('--project=core', '--project=drizzle'),
  memory: suite('memory', 'concurrent'),
  sqlite: suite('sqlite', 'concurrent'),
  'sqlite-worker': suite('sqlite-worker', 'core'),
  'libsql-client': suite('libsql-client', 'concurrent'),
  'better-sqlite3':
    major < 24
      ? suite('better-sqlite3', 'core')
      : 'from Node 24.19 on Node aborts when it collects an object of version 12, and 13 wants Node 22 or newer',
  'pg-pglite': suite('pg-pglite', 'core'),
  // The template that `init` writes, and stores in every format that Node loads.
  packed: vitest('--config=tools/gates/vitest.config.ts', 'conformance'),
})

const nodeOf = (version, body) => {
  const nodes = mkdtempSync(join(tmpdir(), 'daybook-node-'))
  const name = `node-linux-${process.arch}`
  try {
    // What npm was told when it fetched pnpm would be taken for wishes about this install.
    const { npm_config_allow_scripts: _scripts, npm_config_package: _package, ...env } = process.env
    run('npm', ['install', '--prefix', nodes, '--no-save', '--no-audit', '--no-fund', `${name}@${version}`], { env })
    return body(join(nodes, 'node_modules', name))
  } finally {
    rmSync(nodes, { recursive: true, force: true })
  }
}

/** @param {string} version @param {string} prefix of that Node @param {string} cwd a checkout */
function testOn(version, prefix, cwd) {
  const PATH = `${join(prefix, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`
  // better-sqlite3 is built for this Node, by its headers.
  const env = { ...process.env, PATH, CI: '1', npm_config_nodedir: prefix, npm_config_user_agent: '' }
  const options = { cwd, env }
  run('node', ['--version'], options)
  run('node', ['tools/pnpm.mjs', 'install', '--frozen-lockfile'], options)
  run('node', ['tools/pnpm.mjs', 'exec', 'turbo', 'run', 'build', '--filter=@daybook/conformance'], options)
  const all = Object.entries(parts(Number(version.split('.')[0])))
  if (typeof all.find(([name]) => name === 'better-sqlite3')?.[1] !== 'string')
    run('node', ['tools/build-native.mjs'], options)
  return all.map(([name, args]) => {
    console.log(`\n== Node ${version}: ${name}`)
    if (typeof args === 'string') return { version, name, text: `not run: ${args}`, passed: 0, failed: 0, skipped: 0 }
    const began = performance.now()
    const result = tally('node', args, { ...options, timeout: 600_000 })
    const seconds = Math.round((performance.now() - began) / 1000)
    return { version, name, ...result, text: `${result.text} (${seconds} s)` }
  })
}

const rows = versions.flatMap((version) =>
  nodeOf(version, (prefix) => inCheckout((folder) => testOn(version, prefix, folder))),
)

console.log('')
for (const { version, name, text } of rows) console.log(`Node ${version.padEnd(6)} ${name.padEnd(15)} ${text}`)
const sum = (what) => rows.reduce((total, one) => total + one[what], 0)
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
process.exitCode = sum('failed') === 0 ? 0 : 1
