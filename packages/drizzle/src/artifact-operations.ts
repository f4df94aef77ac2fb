import {
  artifactListRequest,
  artifactPruneRequest,
  checkedArtifactContent,
  deleteArtifactRequest,
  loadArtifactRequest,
  saveArtifactRequest,
  StoreError,
  artifactSweepRequest,
  artifactVersionsRequest,
  type Artifact,
  type ArtifactPlace,
  type ArtifactPruneReport,
  type ArtifactPruneRequest,
  type ArtifactVersion,
  type CallOptions,
  type LoadedArtifact,
  type LoadArtifactRequest,
  type Page,
  type SavedArtifact,
  type SaveArtifactRequest,
  type ArtifactSweepReport,
  type ArtifactSweepRequest,
  type UserKey,
} from '@daybook/core'
import type { Buried } from './artifact-leftovers.ts'
import type { OpenedArtifact } from './artifact-lookup.ts'
import { wholeUpload, type Upload } from './artifact-saves.ts'
import { reading, writing, type Operation, type Parts, type Prepared } from './operation.ts'

/** What `store.artifacts` is made of. */
export interface ArtifactOperations {
  /** Bytes as a whole. */
  readonly save: (key: unknown, content: unknown, options?: CallOptions) => Operation<SavedArtifact>
  /** Records a save that was checked, with its bytes or after them. */
  readonly record: (request: SaveArtifactRequest, upload: Upload) => Operation<SavedArtifact>
  /** Sees that the session of a place is there. */
  readonly owner: (place: ArtifactPlace) => Operation<void>
  readonly stage: (staged: Staged) => Operation<void>
  readonly discard: (place: UserKey, uploadId: string) => Operation<void>
  readonly announce: (place: ArtifactPlace, uploadId: string) => Operation<void>
  readonly bury: (place: UserKey, uploadId: string) => Operation<void>
  readonly buried: (appName: string, after: string) => Operation<readonly Buried[]>
  /** The bytes as a whole. */
  readonly load: (key: unknown, options?: CallOptions) => Operation<LoadedArtifact | undefined>
  readonly open: (request: LoadArtifactRequest) => Operation<OpenedArtifact | undefined>
  readonly pieces: (opened: OpenedArtifact, from: number) => Operation<readonly Uint8Array[]>
  readonly list: (query: CallOptions) => Operation<Page<Artifact>>
  readonly versions: (key: unknown, query?: CallOptions) => Operation<Page<ArtifactVersion>>
  readonly delete: (key: unknown, options?: CallOptions) => Operation<boolean>
  readonly prune: (query: CallOptions) => Operation<ArtifactPruneReport>
  readonly sweep: (query: CallOptions) => Operation<ArtifactSweepReport>
}

/** Pieces of a save that is not recorded yet. */
interface Staged {
  readonly place: ArtifactPlace
  readonly uploadId: string
  readonly from: number
  readonly pieces: readonly Uint8Array[]
}

/** A part of a call whose arguments were checked already. */
const given =
  <Request>(request: Request) =>
  () =>
    request

export function createArtifactOperations(parts: Parts): ArtifactOperations {
  const { limits, now, micros, artifacts: scripts } = parts

  /** Chunk by chunk; one that has to be repeated begins where it began before. */
  function prune(request: ArtifactPruneRequest): Prepared<ArtifactPruneReport> {
    let from = 0n
    let next: bigint | undefined
    return {
      *script(tx) {
        const chunk = yield* scripts.pruneChunk(tx, request, from)
        next = chunk.next
        return chunk.report
      },
      chunks: {
        isLast() {
          from = next ?? from
          return next === undefined
        },
        add: (sum, { versions, bytes }) => ({
          versions: sum.versions + versions,
          bytes: sum.bytes + bytes,
          dryRun: false,
        }),
      },
    }
  }

  function sweep(request: ArtifactSweepRequest): Prepared<ArtifactSweepReport> {
    let isLast = false
    return {
      *script(tx) {
        const chunk = yield* scripts.sweepChunk(tx, request)
        isLast = chunk.isLast
        return chunk.report
      },
      chunks: {
        isLast: () => isLast,
        add: (sum, { uploads }) => ({ uploads: sum.uploads + uploads, dryRun: false }),
      },
    }
  }

  return {
    save: (key, content, options) =>
      writing(
        'artifacts.save',
        options,
        () => {
          const request = saveArtifactRequest(key, options, parts)
          const bytes = checkedArtifactContent(content, limits)
          if (bytes instanceof Uint8Array) return { request, upload: wholeUpload(bytes, now) }
          throw new StoreError(
            'invalid_argument',
            'content must be a Uint8Array here: a script cannot wait for a stream',
            {
              field: 'content',
            },
          )
        },
        ({ request, upload }) => ({
          script: (tx) => scripts.save(tx, request, upload, micros()),
          generated: { saveId: request.saveId },
        }),
      ),
    record: (request, upload) =>
      writing('artifacts.record', undefined, given({ request, upload }), (checked) => ({
        script: (tx) => scripts.save(tx, checked.request, checked.upload, micros()),
      })),
    owner: (place) =>
      reading('artifacts.owner', undefined, given(place), (checked) => ({
        script: (tx) => scripts.owner(tx, checked),
      })),
    stage: (staged) =>
      writing('artifacts.stage', undefined, given(staged), ({ place, uploadId, from, pieces }) => ({
        script: (tx) => scripts.stage(tx, place, uploadId, from, pieces),
      })),
    announce: (place, uploadId) =>
      writing('artifacts.announce', undefined, given({ place, uploadId }), (checked) => ({
        script: (tx) => scripts.announce(tx, checked.place, checked.uploadId),
      })),
    bury: (place, uploadId) =>
      writing('artifacts.bury', undefined, given({ place, uploadId }), (checked) => ({
        script: (tx) => scripts.bury(tx, checked.place, checked.uploadId),
      })),
    buried: (appName, after) =>
      reading('artifacts.buried', undefined, given({ appName, after }), (checked) => ({
        script: (tx) => scripts.buried(tx, checked.appName, checked.after),
      })),
    discard: (place, uploadId) =>
      writing('artifacts.discard', undefined, given({ place, uploadId }), (checked) => ({
        script: (tx) => scripts.discard(tx, checked.place, checked.uploadId),
      })),
    load: (key, options) =>
      reading(
        'artifacts.load',
        options,
        () => {
          const request = loadArtifactRequest(key, options, limits)
          if (!request.isStream) return request
          throw new StoreError('invalid_argument', 'stream is no option here: a script cannot wait for a stream', {
            field: 'stream',
          })
        },
        (request) => ({ script: (tx) => scripts.load(tx, request) }),
      ),
    open: (request) =>
      reading('artifacts.open', undefined, given(request), (checked) => ({
        script: (tx) => scripts.open(tx, checked),
      })),
    pieces: (opened, from) =>
      reading('artifacts.pieces', undefined, given({ opened, from }), (checked) => ({
        script: (tx) => scripts.pieces(tx, checked.opened, checked.from),
      })),
    list: (query) =>
      reading(
        'artifacts.list',
        query,
        () => artifactListRequest(query, limits),
        (request) => ({ script: (tx) => scripts.list(tx, request) }),
      ),
    versions: (key, query) =>
      reading(
        'artifacts.versions',
        query,
        () => artifactVersionsRequest(key, query, limits),
        (request) => ({ script: (tx) => scripts.versions(tx, request) }),
      ),
    delete: (key, options) =>
      writing(
        'artifacts.delete',
        options,
        () => deleteArtifactRequest(key, options, limits),
        (request) => ({ script: (tx) => scripts.delete(tx, request) }),
      ),
    prune: (query) =>
      writing(
        'artifacts.prune',
        query,
        () => artifactPruneRequest(query, limits),
        (request) =>
          request.dryRun ? { script: (tx) => scripts.pruneCount(tx, request), onlyReads: true } : prune(request),
      ),
    sweep: (query) =>
      writing(
        'artifacts.sweep',
        query,
        () => artifactSweepRequest(query, parts),
        (request) =>
          request.dryRun ? { script: (tx) => scripts.sweepCount(tx, request), onlyReads: true } : sweep(request),
      ),
  }
}
