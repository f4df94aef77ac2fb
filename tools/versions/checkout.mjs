import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')
const line = /^(\d+) passed, (\d+) failed, (\d+) skipped$/gm

/** A fresh checkout of what is committed, for `body` alone: another version of something is installed in it, not here. */
export function inCheckout(body) {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-versions-'))
  try {
    run('git', ['clone', '--quiet', root, folder])
    return body(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Has a checkout install another version of a dependency than the catalog says. Our packages' peer ranges do not count. */
export function useVersion(folder, name, version) {
  const file = join(folder, 'pnpm-workspace.yaml')
  const catalog = readFileSync(file, 'utf8')
  const other = catalog.replace(new RegExp(`^(  '?${name}'?: )\\d.*$`, 'm'), `$1${version}`)
  if (other === catalog) throw new Error(`the catalog has no ${name}, or has ${version} already`)
  writeFileSync(file, `${other}\npeerDependencyRules:\n  allowAny:\n    - ${name}\n`)
}

/** Runs a program to its end and shows what it says; throws if it fails. */
export function run(file, args, options = {}) {
  const { status, error } = spawnSync(file, args, { stdio: 'inherit', ...options })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${status}`)
}

/** Runs tests to their end; answers their last line, whether or not they passed. */
export function tally(file, args, options = {}) {
  const { stdout, error } = spawnSync(file, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  })
  // What ran out of its time has no last line.
  if (error !== undefined && error.code !== 'ETIMEDOUT') throw error
  process.stdout.write(stdout)
  const [text, passed, failed, skipped] = [...stdout.matchAll(line)].at(-1) ?? [
    '0 passed, 1 failed, 0 skipped: it did not come to its end',
    '0',
    '1',
    '0',
  ]
  return { text, passed: Number(passed), failed: Number(failed), skipped: Number(skipped) }
}
