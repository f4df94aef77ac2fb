import type { Store } from '@daybook/core'
import type { SqliteStoreOptions } from '@daybook/drizzle-sqlite'
import { createHash } from 'node:crypto'
import { copyFile, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { rolldown } from 'rolldown'
import { checkedWait } from '../src/dialect.ts'
import { pragmaStatements } from '../src/pragmas.ts'
import { startThread } from '../src/worker-link.ts'
import { openWorkerStore } from '../src/worker-store.ts'

// The suite opens hundreds of stores. A thread that reads the sources one by one, with a loader of TypeScript of its own, takes
// half a second of a processor to start; one that reads the same sources as one file, less than a tenth.

/** As `openSqliteStore` does it for a file with `worker: true`. */
export async function openFileInBundledThread(path: string, options: SqliteStoreOptions = {}): Promise<Store> {
  const busyTimeout = checkedWait(options.busyTimeout)
  const place = { path, isMemory: false, pragmas: pragmaStatements(undefined, false), busyTimeout }
  const entry = pathToFileURL(await bundle())
  return openWorkerStore(place, options, (start, logger) => startThread(start, logger, { entry, execArgv: [] }))
}

/** Where the processes of one run find what the first of them has made. */
const made = 'DAYBOOK_SQLITE_THREAD'
let making: Promise<string> | undefined

async function bundle(): Promise<string> {
  const found = process.env[made]
  if (found !== undefined) return found
  making ??= makeBundle()
  return (process.env[made] = await making)
}

const ours = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url))

/** Named by what is in it, so that runs at the same time share it, and none takes it away from another. */
async function makeBundle(): Promise<string> {
  const bundled = await rolldown({
    input: ours('src/worker-thread.ts'),
    platform: 'node',
    resolve: { conditionNames: ['@daybook/source', 'node', 'import'] },
  })
  const { output } = await bundled.generate({ format: 'esm', codeSplitting: false })
  const { code } = output[0]
  // What it requires it finds from here as from the package: drivers, and the package.json above it.
  const folder = ours('node_modules/.cache/daybook-thread')
  await mkdir(join(folder, 'src'), { recursive: true })
  await copyFile(ours('package.json'), join(folder, 'package.json'))
  const file = join(folder, 'src', `${createHash('sha256').update(code).digest('hex')}.js`)
  const own = `${file}.${process.pid}`
  await writeFile(own, code)
  await rename(own, file)
  return file
}
