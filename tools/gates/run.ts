import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { root } from '../workspace.ts'

const execute = promisify(execFile)

/** Runs a program; when it fails, the error says what the program said. */
export const run = async (cwd: string, file: string, ...args: readonly string[]): Promise<string> => {
  try {
    return (await execute(file, args, { cwd, maxBuffer: 64 << 20 })).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string } // execFile adds what was printed
    throw new Error([`${file} ${args.join(' ')}`, stdout, stderr].join('\n'), { cause: error })
  }
}

export const pnpm = (cwd: string, ...args: readonly string[]): Promise<string> =>
  run(cwd, process.execPath, `${root}tools/pnpm.mjs`, ...args)

/** A program of the root's devDependencies. */
export const tool = (cwd: string, name: string, ...args: readonly string[]): Promise<string> =>
  run(cwd, `${root}node_modules/.bin/${name}`, ...args)
