import { createHash } from 'node:crypto'
import { isUint8Array } from 'node:util/types'
import type { ArtifactContent, ArtifactKey, SavedArtifact } from './artifacts.ts'
import {
  checkedChoice,
  checkedCount,
  checkedFlag,
  checkedId,
  checkedOptionalCount,
  checkedOptions,
  checkedRecord,
  checkedUserKey,
  membersOf,
} from './arguments.ts'
import { StoreError } from './errors.ts'
import { uuidv7 } from './ids.ts'
import { byteLength, jsonEquals, reading, toJsonObject, type JsonObject } from './json.ts'
import { checkLimit, type Limits } from './limits.ts'
import { appFilter, pageNames, pageRequest, type PageRequest } from './list-request.ts'
import type { UserKey } from './sessions.ts'
import { checkedTimestamp } from './time.ts'

interface Context {
  readonly limits: Limits
  readonly now: () => number
}

/** Whose a name is: of a session, or with an empty `sessionId`, which no id is, of the user. */
export interface ArtifactPlace extends UserKey {
  readonly sessionId: string
  readonly name: string
}

/** Begins the names that belong to a user. */
const ofUser = 'user:'

function checkedArtifactKey(key: unknown, limits: Limits): ArtifactPlace {
  const { sessionId, name, ...user } = membersOf(key, 'key', ['appName', 'userId', 'sessionId', 'name'])
  const checked = checkedUserKey(user, limits)
  const given = sessionId === undefined ? undefined : checkedId(sessionId, 'key.sessionId', limits)
  const named = checkedId(name, 'key.name', limits)
  if (named.startsWith(ofUser)) return { ...checked, sessionId: '', name: named }
  if (given !== undefined) return { ...checked, sessionId: given, name: named }
  throw new StoreError(
    'invalid_argument',
    `key.sessionId is missing: only names that begin with ${ofUser} belong to the user`,
    { field: 'key.sessionId' },
  )
}

/** The key that a place is answered as. */
export const artifactKeyOf = ({ sessionId, ...place }: ArtifactPlace): ArtifactKey =>
  sessionId === '' ? place : { ...place, sessionId }

/** What is kept of a version besides its bytes. */
export interface ArtifactFacts {
  readonly mimeType: string | undefined
  readonly metadata: JsonObject
}

/** The arguments of `artifacts.save` besides the content, checked. */
export interface SaveArtifactRequest extends ArtifactFacts {
  readonly place: ArtifactPlace
  readonly saveId: string
}

export function saveArtifactRequest(key: unknown, options: unknown, { limits, now }: Context): SaveArtifactRequest {
  const place = checkedArtifactKey(key, limits)
  const { mimeType, metadata, saveId } = checkedOptions(options, ['mimeType', 'metadata', 'saveId'])
  return {
    place,
    saveId: saveId === undefined ? uuidv7(now) : checkedId(saveId, 'saveId', limits),
    mimeType: mimeType === undefined ? undefined : checkedId(mimeType, 'mimeType', limits),
    metadata: metadata === undefined ? {} : checkedMetadata(metadata, limits),
  }
}

function checkedMetadata(value: unknown, limits: Limits): JsonObject {
  const bytes = limits.artifactMetadataBytes
  const metadata = toJsonObject(value, 'metadata', { depth: limits.eventDepth, name: 'eventDepth', bytes })
  checkLimit('metadata', 'bytes', bytes, byteLength(JSON.stringify(metadata)))
  return metadata
}

/** The content of a save: bytes, copied and within the limit, or what has to be read first. */
export function checkedArtifactContent(content: unknown, limits: Limits): ArtifactContent {
  if (isUint8Array(content)) {
    checkLimit('content', 'bytes', limits.artifactBytes, content.byteLength)
    return new Uint8Array(content)
  }
  const isStream = reading(
    'content',
    () => typeof content === 'object' && content !== null && Symbol.asyncIterator in content,
  )
  if (isStream) return content as AsyncIterable<Uint8Array> // each piece is looked at when it comes
  throw new StoreError('invalid_argument', 'content must be a Uint8Array, or an async iterable of them', {
    field: 'content',
  })
}

export const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** What a `saveId` made before, and what it is repeated with. */
interface Saved extends ArtifactFacts {
  readonly size: number
  readonly sha256: string
}

export const isSameSave = (stored: Saved, given: Saved): boolean =>
  stored.sha256 === given.sha256 &&
  stored.size === given.size &&
  stored.mimeType === given.mimeType &&
  jsonEquals(stored.metadata, given.metadata)

/** A `saveId` that the name has with other content. */
export const otherContent = ({ name }: ArtifactPlace, saveId: string): StoreError =>
  new StoreError('conflict', `${name} already has a version of save ${saveId}, with other content`, { field: 'saveId' })

/** Bytes that are not those whose sum was kept. */
export const damagedArtifact = ({ name }: ArtifactPlace, version: number): StoreError =>
  new StoreError('corrupt', `version ${version} of ${name} is not what was saved`)

/** A version that was there when somebody began to read it. */
export const deletedMeanwhile = ({ name }: ArtifactPlace, version: number): StoreError =>
  new StoreError('not_found', `version ${version} of ${name} was deleted while it was read`)

export interface LoadArtifactRequest {
  readonly place: ArtifactPlace
  /** `undefined`: the newest. */
  readonly version: number | undefined
  readonly isStream: boolean
}

export function loadArtifactRequest(key: unknown, options: unknown, limits: Limits): LoadArtifactRequest {
  const place = checkedArtifactKey(key, limits)
  const { version, stream } = checkedOptions(options, ['version', 'stream'])
  return { place, version: checkedOptionalCount(version, 'version'), isStream: checkedFlag(stream, 'stream') }
}

export interface DeleteArtifactRequest {
  readonly place: ArtifactPlace
  /** `undefined`: all. */
  readonly version: number | undefined
}

export function deleteArtifactRequest(key: unknown, options: unknown, limits: Limits): DeleteArtifactRequest {
  const place = checkedArtifactKey(key, limits)
  return { place, version: checkedOptionalCount(checkedOptions(options, ['version']).version, 'version') }
}

export interface ArtifactListRequest extends PageRequest {
  readonly user: UserKey
  /** `undefined`: only names of the user. */
  readonly sessionId: string | undefined
}

export function artifactListRequest(query: unknown, limits: Limits): ArtifactListRequest {
  const { appName, userId, sessionId, ...page } = checkedOptions(checkedRecord(query, 'query'), [
    'appName',
    'userId',
    'sessionId',
    ...pageNames,
  ])
  const user = { appName: checkedId(appName, 'appName', limits), userId: checkedId(userId, 'userId', limits) }
  const session = sessionId === undefined ? undefined : checkedId(sessionId, 'sessionId', limits)
  const binding = { list: 'artifacts', ...user, sessionId: session ?? null }
  return { user, sessionId: session, ...pageRequest(page, { direction: 'asc', binding, limits, shape: ['text'] }) }
}

export interface ArtifactVersionsRequest extends PageRequest {
  readonly place: ArtifactPlace
}

export function artifactVersionsRequest(key: unknown, query: unknown, limits: Limits): ArtifactVersionsRequest {
  const place = checkedArtifactKey(key, limits)
  const { direction = 'asc', ...page } = checkedOptions(query, [...pageNames, 'direction'])
  const way = checkedChoice(direction, 'direction', ['asc', 'desc'])
  const binding = { list: 'versions', ...place, direction: way }
  return { place, ...pageRequest(page, { direction: way, binding, limits, shape: ['number'] }) }
}

export interface ArtifactPruneRequest {
  readonly appName: string
  readonly userId: string | undefined
  readonly before: number
  readonly dryRun: boolean
  readonly chunk: number
}

export function artifactPruneRequest(query: unknown, limits: Limits): ArtifactPruneRequest {
  const filter = appFilter(query, limits, ['before', 'dryRun', 'chunk'])
  const { before, dryRun, chunk = 100 } = membersOf(query, 'query', ['before', 'dryRun', 'chunk'])
  return {
    ...filter,
    before: checkedTimestamp(before, 'before'),
    dryRun: checkedFlag(dryRun, 'dryRun'),
    chunk: checkedCount(chunk, 'chunk', { min: 1, max: 10_000 }),
  }
}

export interface ArtifactSweepRequest {
  readonly appName: string
  /** Saves that began before this time. */
  readonly before: number
  readonly dryRun: boolean
}

const hour = 3_600_000

export function artifactSweepRequest(query: unknown, { limits, now }: Context): ArtifactSweepRequest {
  const {
    appName,
    olderThan = 24 * hour,
    dryRun,
  } = checkedOptions(checkedRecord(query, 'query'), ['appName', 'olderThan', 'dryRun'])
  return {
    appName: checkedId(appName, 'appName', limits),
    before: Math.max(0, now() - checkedCount(olderThan, 'olderThan', { min: hour })),
    dryRun: checkedFlag(dryRun, 'dryRun'),
  }
}

/** The answer of a save. */
export const savedArtifact = (
  { version, size, sha256, createdAt }: Pick<SavedArtifact, 'version' | 'size' | 'sha256' | 'createdAt'>,
  saveId: string,
  duplicate: boolean,
): SavedArtifact => ({ version, size, sha256, createdAt, saveId, duplicate })
