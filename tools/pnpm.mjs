// Runs the pnpm named in package.json, fetching it through npm when this was not started by pnpm.
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'

const { packageManager } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const args = process.argv.slice(2)
const inPnpm = process.env.npm_config_user_agent?.startsWith('pnpm/')
const [command, argv] = inPnpm
  ? ['pnpm', args]
  : [
      'npm',
      [
        'exec',
        '--yes',
        '--prefer-offline',
        '--no-update-notifier',
        '--ignore-scripts=false',
        '--allow-scripts=pnpm',
        '--include=optional',
        `--package=${packageManager}`,
        '--',
        'pnpm',
        ...args,
      ],
    ]
const child = spawn(command, argv, {
  stdio: 'inherit',
  env: { ...process.env, DO_NOT_TRACK: '1' },
  shell: process.platform === 'win32',
})
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal))
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143)
})
