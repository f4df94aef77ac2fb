import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineStoreUnderTest, type OpenOptions, type StoreUnderTest } from '@daybook/conformance'
import { openJsonFilesStore, type JsonFilesOptions } from './json-files-store.ts'

const prefix = 'json-files-'

const subject: StoreUnderTest = defineStoreUnderTest({
  subject: { name: 'json-files', version: '0.1.0', driver: 'node:fs' },
  contract: '1.0',
  expects: {
    memories: 'no',
    artifacts: 'no',
    metrics: 'no',
    lease: 'no',
    jsonPathFilter: 'yes',
    jsonPathIndex: 'no',
    fullTextSearch: 'no',
    vectorSearch: 'no',
    callerTransaction: 'no',
    persistent: 'yes',
    concurrentWriters: 'no',
    foreignKeys: 'yes',
    skipLocked: 'no',
    windowFunctions: 'no',
    transactionalDdl: 'no',
    liveNotify: 'no',
    nativeVectors: 'no',
    isolation: 'serializable',
  },
  async provision({ id }) {
    const folder = await mkdtemp(join(tmpdir(), `${prefix}${id}.`))
    return {
      open: async (options) => openJsonFilesStore({ folder, ...known(options) }),
      lacks: ['roles', 'pool', 'schema', 'locks', 'network', 'refusals', 'chunks'],
      destroy: () => rm(folder, { recursive: true, force: true }),
    }
  },
  leftovers: {
    list: async () => [...(await folders()).keys()],
    drop: async (id) => {
      for (const folder of (await folders()).get(id) ?? []) await rm(folder, { recursive: true, force: true })
    },
  },
})

export default subject

/** Folders by the id of their place. */
async function folders(): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  for (const name of (await readdir(tmpdir())).filter((one) => one.startsWith(prefix))) {
    const id = name.slice(prefix.length).split('.')[0] ?? name
    found.set(id, [...(found.get(id) ?? []), join(tmpdir(), name)])
  }
  return found
}

const known = ({ now, timeout, logger, limits }: OpenOptions = {}): Omit<JsonFilesOptions, 'folder'> => ({
  ...(now !== undefined && { now }),
  ...(timeout !== undefined && { timeout }),
  ...(logger !== undefined && { logger }),
  ...(limits !== undefined && { limits }),
})
