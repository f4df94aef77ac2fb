// pnpm servers …: loads the TypeScript of tools/servers as it is.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const { status } = spawnSync(
  process.execPath,
  [
    '--disable-warning=ExperimentalWarning',
    `--import=${new URL('../packages/conformance/bin/typescript.mjs', import.meta.url).href}`,
    fileURLToPath(new URL('servers/cli.ts', import.meta.url)),
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
)
process.exitCode = status ?? 1
