import { execFile } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

/** What a server process is made of, in the order of their dependencies. */
const built = [
  'packages/core',
  'packages/drizzle',
  'packages/drizzle-sqlite',
  'packages/drizzle-pg',
  'packages/drizzle-mysql',
  'packages/adk',
  'apps/api',
]
const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Tests start the built server; this builds what changed since. */
export async function setup(): Promise<void> {
  for (const path of built) {
    const cwd = join(root, path)
    if ((await newest(join(cwd, 'src'))) > (await newest(join(cwd, 'dist'))))
      await promisify(execFile)('npm', ['run', 'build'], { cwd })
  }
}

/** The time of the last change below a folder; 0 without one. */
async function newest(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile())
  const times = await Promise.all(files.map(async (file) => (await stat(join(file.parentPath, file.name))).mtimeMs))
  return Math.max(0, ...times)
}
