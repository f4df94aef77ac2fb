import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { root } from '../workspace.ts'

const execute = promisify(execFile)
// `npm exec` hands its own `--allow-scripts` on, and an `npm install` below it refuses that.
const { npm_config_allow_scripts: _, ...env } = process.env

/** Runs a program; when it fails, the error says what the program said. */
export const run = (cwd: string, file: string, ...args: readonly string[]): Promise<string> =>
  execute(file, args, { cwd, env, maxBuffer: 64 << 20 }).then(
    ({ stdout }) => stdout,
    ({ stdout, stderr }: { stdout: string; stderr: string }) => {
      throw new Error([`${file} ${args.join(' ')}`, stdout, stderr].join('\n'))
    },
  )

export const pnpm = (cwd: string, ...args: readonly string[]): Promise<string> =>
  run(cwd, process.execPath, `${root}tools/pnpm.mjs`, ...args)

/** A program of the root's devDependencies. */
export const tool = (cwd: string, name: string, ...args: readonly string[]): Promise<string> =>
  run(cwd, `${root}node_modules/.bin/${name}`, ...args)
