// pnpm conformance --backend <name>: loads the TypeScript of this repository as it is, without a build.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const { status } = spawnSync(
  process.execPath,
  [
    '--conditions=@daybook/source',
    '--disable-warning=ExperimentalWarning',
    `--import=${new URL('./typescript.mjs', import.meta.url).href}`,
    fileURLToPath(new URL('../test/backend.ts', import.meta.url)),
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
)
process.exitCode = status ?? 3
