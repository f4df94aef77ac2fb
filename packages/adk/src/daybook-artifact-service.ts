import { isStoreError, type ArtifactKey, type ArtifactVersion as CoreVersion, type Store } from '@daybook/core'
import type {
  ArtifactVersion,
  BaseArtifactService,
  DeleteArtifactRequest,
  ListArtifactKeysRequest,
  ListVersionsRequest,
  LoadArtifactRequest,
  SaveArtifactRequest,
} from '@google/adk'
import { customOf, partOf, storedPart, type Part } from './artifact-part.ts'
import type { DaybookSessionService } from './daybook-session-service.ts'
import { createStoreSource, sharedSource, type StoreSource } from './store-source.ts'

/**
 * ADK's artifacts in a Daybook store, in the database with the sessions that they belong to: deleted with them, erased with
 * their user, and with versions that no two savers share.
 *
 * @example
 * ```ts
 * import { DaybookArtifactService, DaybookSessionService } from '@daybook/adk'
 * import { createInMemoryStore } from '@daybook/core'
 *
 * const sessionService = new DaybookSessionService(createInMemoryStore())
 * const artifactService = new DaybookArtifactService(sessionService)
 * const { id: sessionId } = await sessionService.createSession({ appName: 'shop', userId: 'ann' })
 * const key = { appName: 'shop', userId: 'ann', sessionId, filename: 'note.txt' }
 * const version = await artifactService.saveArtifact({ ...key, artifact: { text: 'Hello' } })
 * console.log(version, await artifactService.loadArtifact(key)) // 0 { text: 'Hello' }
 * ```
 */
export class DaybookArtifactService implements BaseArtifactService, AsyncDisposable {
  readonly #source: StoreSource

  /**
   * @param store The session service whose store it is to share, which is the one that has to know the sessions; or a store
   * that is yours, or a function that opens one, as {@link DaybookSessionService} takes them.
   */
  constructor(store: DaybookSessionService | Store | (() => Promise<Store>)) {
    this.#source = sharedSource(store) ?? createStoreSource(store as Exclude<typeof store, DaybookSessionService>) // the other two
  }

  /** Opens and migrates what is to be opened. Every method does so itself; call it to learn early whether it works. */
  async init(): Promise<void> {
    await this.#source.open()
  }

  /**
   * Saves the next version of a file, from 0. Of `inlineData`, `text` and `fileData` the first that is there counts.
   *
   * @throws when the session is not in this store, unless the name begins with `user:`
   */
  async saveArtifact({ artifact, customMetadata, ...request }: SaveArtifactRequest): Promise<number> {
    const { bytes, options } = storedPart(artifact, customMetadata)
    const { artifacts } = await this.#source.open()
    try {
      return (await artifacts.save(keyOf(request), bytes, options)).version
    } catch (cause) {
      if (!isStoreError(cause) || cause.code !== 'not_found') throw cause
      throw new Error(`Session ${request.sessionId} not found for saveArtifact`, { cause })
    }
  }

  async loadArtifact({ version, ...request }: LoadArtifactRequest): Promise<Part | undefined> {
    if (isNone(version)) return undefined
    const { artifacts } = await this.#source.open()
    const loaded = await artifacts.load(keyOf(request), version === undefined ? {} : { version }).catch(noSuchName)
    return loaded && partOf(loaded.bytes, loaded)
  }

  /** Names of the session and of the user, in the order of `sort()`. */
  async listArtifactKeys({ appName, userId, sessionId }: ListArtifactKeysRequest): Promise<string[]> {
    const { artifacts, limits } = await this.#source.open()
    const query = { appName, userId, ...(sessionId && { sessionId }), limit: limits.pageMax }
    const all = await allOf((cursor) => artifacts.list({ ...query, ...cursor }))
    return all.map(({ name }) => name).toSorted()
  }

  /** All versions, after which the next one is 0 again. */
  async deleteArtifact(request: DeleteArtifactRequest): Promise<void> {
    const { artifacts } = await this.#source.open()
    await artifacts.delete(keyOf(request)).catch(noSuchName)
  }

  async listVersions(request: ListVersionsRequest): Promise<number[]> {
    return (await this.listArtifactVersions(request)).map(({ version }) => version)
  }

  async listArtifactVersions(request: ListVersionsRequest): Promise<ArtifactVersion[]> {
    const { artifacts, limits } = await this.#source.open()
    const key = keyOf(request)
    const page = (cursor: object) => artifacts.versions(key, { limit: limits.pageMax, ...cursor })
    const all = await allOf(page).catch(noSuchName)
    return (all ?? []).map((one) => versionOf(one))
  }

  async getArtifactVersion({ version, ...request }: LoadArtifactRequest): Promise<ArtifactVersion | undefined> {
    if (isNone(version)) return undefined
    const { artifacts } = await this.#source.open()
    // As a stream that nobody reads: no bytes come.
    const found = await artifacts
      .load(keyOf(request), { stream: true, ...(version !== undefined && { version }) })
      .catch(noSuchName)
    return found && versionOf(found)
  }

  /** Closes the store if this service opened it. Idempotent. */
  async close(): Promise<void> {
    await this.#source.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/** What is asked for may carry more than a key. A name of the user is one in every session, and where there is none. */
const keyOf = ({ appName, userId, sessionId, filename }: ListVersionsRequest): ArtifactKey => ({
  appName,
  userId,
  ...(sessionId && { sessionId }),
  name: filename,
})

/** Models ask for files by names that nothing can have, and what is missing is no error. */
function noSuchName(error: unknown): undefined {
  if (isStoreError(error) && error.facts.field === 'key.name') return undefined
  throw error
}

/** No version has such a number, and what is missing is no error. */
const isNone = (version: number | undefined) =>
  version !== undefined && !(Number.isSafeInteger(version) && version >= 0)

/** Without a URI: there is none that a model could read, and ADK's runner would pass one of the web on to it. */
function versionOf({ version, mimeType, metadata }: CoreVersion): ArtifactVersion {
  const customMetadata = customOf(metadata)
  return {
    version,
    ...(mimeType !== undefined && { mimeType }),
    ...(customMetadata !== undefined && { customMetadata }),
  }
}

async function allOf<T>(
  page: (cursor: {
    cursor?: string
  }) => Promise<{ readonly items: readonly T[]; readonly nextCursor: string | undefined }>,
): Promise<T[]> {
  const all: T[] = []
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const { items, nextCursor } = await page(cursor === undefined ? {} : { cursor })
    all.push(...items)
    cursor = nextCursor
  }
  return all
}
