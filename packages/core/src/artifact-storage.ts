import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { StoreError } from './errors.ts'

/** What a storage knows a version's bytes by: an app, and an id that the store made. Never a name that somebody gave. */
export interface StoredObject {
  readonly appName: string
  readonly id: string
}

/**
 * Keeps the bytes of artifacts outside of the database: a bucket, a folder. The store writes down in the database what it is about
 * to put, and what it is about to delete, so that nothing is forgotten there: an id is put once, and read only after that.
 */
export interface ArtifactStorage {
  /**
   * Keeps all that comes, and resolves when it is safe; rejects where it is not, and where `bytes` throws. Nobody waits for it any
   * more once the signal has fired: it may stop then, and rejects.
   */
  put(object: StoredObject, bytes: AsyncIterable<Uint8Array>, call?: StorageCall): Promise<void>
  /** The same bytes, in any pieces. Rejects where there are none. */
  get(object: StoredObject): AsyncIterable<Uint8Array>
  /** Resolves also where there is nothing, or half of something. It is asked again where it rejects, or takes longer than it is given. */
  delete(object: StoredObject, call?: StorageCall): Promise<void>
}

/** The call on whose behalf a storage works. */
export interface StorageCall {
  /** Fires when it is over: its time, its caller's patience, or the store. */
  readonly signal: AbortSignal
}

/**
 * A folder as a storage: a folder for each app in it, named by a hash, and a file for each version, which has its name when it is
 * on the disk as a whole.
 *
 * @example
 * ```ts
 * import { createDirectoryStorage } from '@daybook/core'
 * import { mkdtemp } from 'node:fs/promises'
 * import { tmpdir } from 'node:os'
 * import { join } from 'node:path'
 *
 * const storage = createDirectoryStorage(await mkdtemp(join(tmpdir(), 'artifacts-')))
 * await storage.put({ appName: 'shop', id: 'o1' }, (async function* () { yield Buffer.from('bytes') })())
 * for await (const piece of storage.get({ appName: 'shop', id: 'o1' })) console.log(Buffer.from(piece).toString()) // bytes
 * await storage.delete({ appName: 'shop', id: 'o1' })
 * ```
 */
export function createDirectoryStorage(folder: string): ArtifactStorage {
  const folderOf = ({ appName }: StoredObject) =>
    join(folder, createHash('sha256').update(appName).digest('hex').slice(0, 32))
  const fileOf = (object: StoredObject) => join(folderOf(object), checkedId(object.id))
  const part = (object: StoredObject) => `${fileOf(object)}.part`
  return {
    async put(object, bytes) {
      await mkdir(folderOf(object), { recursive: true })
      const file = await open(part(object), 'w')
      try {
        for await (const piece of bytes) await file.writeFile(piece)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(part(object), fileOf(object))
      await synced(folderOf(object))
    },
    get: (object) => createReadStream(fileOf(object)),
    async delete(object) {
      await rm(fileOf(object), { force: true })
      await rm(part(object), { force: true })
    },
  }
}

/** A new name is on the disk once its folder is. */
async function synced(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

function checkedId(id: string): string {
  if (/^[A-Za-z0-9-]{1,64}$/.test(id)) return id
  throw new StoreError('invalid_argument', 'the id of a stored object is not one that a store made', { field: 'id' })
}
