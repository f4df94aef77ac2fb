import { setImmediate } from 'node:timers/promises'
import { artifactPiece, wholeContent } from './artifact-content.ts'
import {
  artifactKeyOf,
  artifactListRequest,
  artifactPruneRequest,
  checkedArtifactContent,
  damagedArtifact,
  deleteArtifactRequest,
  deletedMeanwhile,
  isSameSave,
  loadArtifactRequest,
  otherContent,
  savedArtifact,
  saveArtifactRequest,
  sha256Of,
  artifactSweepRequest,
  artifactVersionsRequest,
  type ArtifactPlace,
  type ArtifactPruneRequest,
  type SaveArtifactRequest,
} from './artifact-request.ts'
import type { Artifact, ArtifactPruneReport, ArtifactStore, ArtifactVersion, SavedArtifact } from './artifacts.ts'
import { membersOf } from './arguments.ts'
import type { CallOptions } from './call.ts'
import type { Call } from './calls.ts'
import {
  findSession,
  keyText,
  type ArtifactRow,
  type ArtifactVersionRow,
  type InMemoryData,
} from './in-memory-database.ts'
import { compareText } from './in-memory-list.ts'
import { fresh, type InMemoryContext } from './in-memory-state.ts'
import { pageOf } from './list-request.ts'
import { noSession } from './refusals.ts'
import type { UserKey } from './sessions.ts'

export function createInMemoryArtifacts(context: InMemoryContext): ArtifactStore {
  const { calls, data, limits } = context
  const found = (place: ArtifactPlace) => namesOf(data, place)?.get(place.name)
  const load = (key: unknown, options: object | undefined) =>
    calls.run('artifacts.load', options, () => {
      const { place, version, isStream } = loadArtifactRequest(key, options, limits)
      const row = versionOf(found(place), version)
      if (row === undefined) return undefined
      if (!isStream) return { ...factsOf(row), bytes: wholeBytes(row, place) }
      const isThere = () => found(place)?.versions.get(row.version) === row
      const callOptions = callOptionsOf(options)
      return {
        ...factsOf(row),
        stream: streamOf(row, { place, isThere }, (body) => calls.run('artifacts.load', callOptions, body)),
      }
    })
  return {
    save: (key, content, options) =>
      calls.run('artifacts.save', options, async (call) => {
        const request = saveArtifactRequest(key, options, context)
        const given = checkedArtifactContent(content, limits)
        call.generated({ saveId: request.saveId })
        checkOwner(request.place, data)
        const { bytes, ...sum } = await wholeContent(given, limits, call)
        call.check()
        return save(request, { bytes, ...sum }, context)
      }),
    load: load as ArtifactStore['load'], // which of the two it answers the option says
    list: (query) =>
      calls.run('artifacts.list', query, () => {
        const request = artifactListRequest(query, limits)
        const { user, sessionId, limit, offset, position } = request
        const [after] = position ?? []
        const scopes = sessionId === undefined ? [''] : ['', sessionId]
        const rows = scopes
          .flatMap((scope) => [...(namesOf(data, { ...user, sessionId: scope })?.values() ?? [])])
          .filter(
            ({ versions, name }) => versions.size > 0 && (after === undefined || compareText(name, String(after)) > 0),
          )
          .toSorted((a, b) => compareText(a.name, b.name))
          .slice(offset, offset + limit + 1)
        return pageOf(rows, request, ({ name }) => [name], artifactOf)
      }),
    versions: (key, query) =>
      calls.run('artifacts.versions', query, () => {
        const request = artifactVersionsRequest(key, query, limits)
        const { place, direction, limit, offset, position } = request
        const sign = direction === 'asc' ? 1 : -1
        const rows = [...(found(place)?.versions.values() ?? [])]
          .filter(({ version }) => position === undefined || sign * (version - Number(position[0])) > 0)
          .toSorted((a, b) => sign * (a.version - b.version))
          .slice(offset, offset + limit + 1)
        return pageOf(rows, request, ({ version }) => [version], factsOf)
      }),
    delete: (key, options) =>
      calls.run('artifacts.delete', options, () => {
        const { place, version } = deleteArtifactRequest(key, options, limits)
        const row = found(place)
        if (version !== undefined) return row?.versions.delete(version) ?? false
        if (row !== undefined) deleteName(data, row)
        return row !== undefined && row.versions.size > 0
      }),
    prune: (query) =>
      calls.run('artifacts.prune', query, (call) => prune(artifactPruneRequest(query, limits), call, context)),
    sweep: (query) =>
      // A save that did not end left nothing here.
      calls.run('artifacts.sweep', query, () => ({ uploads: 0, dryRun: artifactSweepRequest(query, context).dryRun })),
  }
}

/** What of a call's options each piece of its stream takes. */
const callOptionsOf = (options: CallOptions | undefined): CallOptions =>
  membersOf(options ?? {}, 'options', ['signal', 'timeout']) as CallOptions // looked at by each call

type Scope = Omit<ArtifactPlace, 'name'>

const namesOf = ({ artifacts }: InMemoryData, { appName, userId, sessionId }: Scope) =>
  artifacts.get(keyText(appName, userId, sessionId))

function deleteName(data: InMemoryData, row: ArtifactRow): void {
  const names = namesOf(data, row)
  names?.delete(row.name)
  if (names?.size === 0) data.artifacts.delete(keyText(row.appName, row.userId, row.sessionId))
}

/** Deletes what is the user's own, and answers how many versions that were. */
export function deleteUserArtifacts({ artifacts }: InMemoryData, { appName, userId }: UserKey): number {
  const key = keyText(appName, userId, '')
  const versions = countVersions(artifacts.get(key))
  artifacts.delete(key)
  return versions
}

export const sessionVersions = (data: InMemoryData, session: Scope): number => countVersions(namesOf(data, session))

const countVersions = (names: ReadonlyMap<string, ArtifactRow> | undefined): number =>
  [...(names?.values() ?? [])].reduce((sum, { versions }) => sum + versions.size, 0)

function checkOwner({ sessionId, ...user }: ArtifactPlace, data: InMemoryData): void {
  const key = { ...user, sessionId }
  if (sessionId !== '' && findSession(data, key) === undefined) throw noSession(key)
}

type Content = Pick<ArtifactVersionRow, 'bytes' | 'sha256'> & { readonly size: number }

function save(
  { place, saveId, mimeType, metadata }: SaveArtifactRequest,
  { bytes, size, sha256 }: Content,
  { data, now }: InMemoryContext,
): SavedArtifact {
  checkOwner(place, data)
  const names = namesOf(data, place) ?? new Map<string, ArtifactRow>()
  const row = names.get(place.name) ?? { ...place, nextVersion: 0, versions: new Map<number, ArtifactVersionRow>() }
  const known = [...row.versions.values()].find((one) => one.saveId === saveId)
  if (known !== undefined) {
    const same = isSameSave({ ...known, size: known.bytes.byteLength }, { mimeType, metadata, size, sha256 })
    if (!same) throw otherContent(place, saveId)
    return savedArtifact({ ...known, size }, saveId, true)
  }
  const version = row.nextVersion
  const made = { version, saveId, mimeType, metadata, bytes, sha256, createdAt: now() }
  row.versions.set(version, made)
  row.nextVersion = version + 1
  data.artifacts.set(keyText(place.appName, place.userId, place.sessionId), names.set(place.name, row))
  return savedArtifact({ ...made, size }, saveId, false)
}

const versionOf = (row: ArtifactRow | undefined, version: number | undefined): ArtifactVersionRow | undefined =>
  row?.versions.get(version ?? Math.max(...row.versions.keys()))

const factsOf = ({ version, mimeType, metadata, bytes, sha256, createdAt }: ArtifactVersionRow): ArtifactVersion => ({
  version,
  ...(mimeType !== undefined && { mimeType }),
  metadata: fresh(metadata),
  size: bytes.byteLength,
  sha256,
  createdAt,
})

function artifactOf({ nextVersion: _next, versions, ...place }: ArtifactRow): Artifact {
  const newest = versions.get(Math.max(...versions.keys()))
  if (newest === undefined) throw new TypeError('a name without versions is not listed')
  return { ...artifactKeyOf(place), ...factsOf(newest) }
}

function wholeBytes({ bytes, sha256, version }: ArtifactVersionRow, place: ArtifactPlace): Uint8Array {
  if (sha256Of(bytes) !== sha256) throw damagedArtifact(place, version)
  return new Uint8Array(bytes)
}

/** Each piece is a call of its own. */
const streamOf = (
  row: ArtifactVersionRow,
  { place, isThere }: { readonly place: ArtifactPlace; readonly isThere: () => boolean },
  call: <T>(body: () => T) => Promise<T>,
): AsyncIterable<Uint8Array> => {
  const pieceAt = (from: number) => {
    if (!isThere()) throw deletedMeanwhile(place, row.version)
    return from === 0 ? wholeBytes(row, place).subarray(0, artifactPiece) : row.bytes.slice(from, from + artifactPiece)
  }
  return {
    async *[Symbol.asyncIterator]() {
      for (let from = 0; from < row.bytes.byteLength; from += artifactPiece) yield await call(() => pieceAt(from))
    },
  }
}

async function prune(
  request: ArtifactPruneRequest,
  call: Call,
  { data }: InMemoryContext,
): Promise<ArtifactPruneReport> {
  const { appName, userId, before, chunk, dryRun } = request
  const old = () =>
    [...data.artifacts.values()]
      .flatMap((names) => [...names.values()])
      .filter((row) => row.appName === appName && (userId === undefined || row.userId === userId))
      .flatMap((name) => [...name.versions.values()].map((version) => ({ name, version })))
      .filter(({ version }) => version.createdAt < before)
      .toSorted((a, b) => a.version.createdAt - b.version.createdAt)
  const pruned = dryRun ? old() : []
  for (let rows = dryRun ? [] : old().slice(0, chunk); rows.length > 0; rows = old().slice(0, chunk)) {
    for (const { name, version } of rows) {
      name.versions.delete(version.version)
      if (name.versions.size === 0) deleteName(data, name)
    }
    pruned.push(...rows)
    await setImmediate()
    call.check()
  }
  const bytes = pruned.reduce((sum, { version }) => sum + version.bytes.byteLength, 0)
  return { versions: pruned.length, bytes, dryRun }
}
