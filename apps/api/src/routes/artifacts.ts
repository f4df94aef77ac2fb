import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Readable } from 'node:stream'
import { Type } from 'typebox'
import {
  Artifact,
  ArtifactList,
  ArtifactVersion,
  Conditional,
  SavedArtifact,
  SessionArtifactParams,
  Upload,
  UserArtifactParams,
  VersionList,
  VersionQuery,
} from '../schemas/artifact.ts'
import { SessionParams, UserParams } from '../schemas/key.ts'
import { PageOf } from '../schemas/page.ts'
import { downloadHeaders, isUnchanged } from './download.ts'
import { noArtifact } from './missing.ts'

const tags = ['artifacts']
const user = '/apps/:appName/users/:userId'

/** Whose files they are: of a session and its user, or of the user alone. */
interface Owner {
  readonly path: string
  readonly whose: string
  readonly all: typeof SessionParams | typeof UserParams
  readonly one: typeof SessionArtifactParams | typeof UserArtifactParams
}

const owners: readonly Owner[] = [
  {
    path: `${user}/sessions/:sessionId/artifacts`,
    whose: 'of a session; one that begins with `user:` is of its user',
    all: SessionParams,
    one: SessionArtifactParams,
  },
  {
    path: `${user}/artifacts`,
    whose: 'of a user, whose name begins with `user:`',
    all: UserParams,
    one: UserArtifactParams,
  },
]

export const artifactRoutes: FastifyPluginAsyncTypebox = async (app) => {
  for (const owner of owners) {
    await app.register(listRoutes, owner)
    await app.register(downloadRoute, owner)
    await app.register(uploadRoute, owner)
  }
}

const listRoutes: FastifyPluginAsyncTypebox<Owner> = async (app, { path, whose, all, one }) => {
  const listed = {
    tags,
    summary: `The files ${whose}`,
    description: 'By name, each with its newest version',
    params: all,
    querystring: ArtifactList,
    response: { 200: PageOf(Artifact) },
  }
  app.get(path, { schema: listed }, async ({ params, query }) => {
    const { items, nextCursor = null } = await app.store.artifacts.list({ ...params, ...query })
    return { items, nextCursor }
  })

  const versions = {
    tags,
    summary: `The versions of a file ${whose}; a missing one has none`,
    params: one,
    querystring: VersionList,
    response: { 200: PageOf(ArtifactVersion) },
  }
  app.get(`${path}/:name/versions`, { schema: versions }, async ({ params, query }) => {
    const { items, nextCursor = null } = await app.store.artifacts.versions(params, query)
    return { items, nextCursor }
  })

  const removed = {
    tags,
    summary: `Delete a file ${whose}, or one version of it; safe to repeat`,
    params: one,
    querystring: VersionQuery,
    response: { 204: Type.Null() },
  }
  app.delete(`${path}/:name`, { schema: removed }, async ({ params, query }, reply) => {
    await app.store.artifacts.delete(params, query)
    reply.code(204)
    return null
  })
}

const Bytes = { type: 'string', format: 'binary' }

const downloadRoute: FastifyPluginAsyncTypebox<Owner> = async (app, { path, whose, one }) => {
  const schema = {
    tags,
    summary: `Download a file ${whose}: its newest version, or the one asked for`,
    params: one,
    querystring: VersionQuery,
    headers: Conditional,
    response: {
      200: { description: 'The bytes', content: { 'application/octet-stream': { schema: Bytes } } },
      304: { description: 'The same as before', type: 'null' },
    },
  }
  app.get(`${path}/:name`, { schema }, async ({ method, params, query, headers }, reply) => {
    const found = await app.store.artifacts.load(params, { ...query, stream: true })
    if (found === undefined) throw noArtifact(params.name, query.version)
    const etag = `"${found.sha256}"`
    // May be kept, but asked for anew each time: the name may have another version meanwhile.
    reply.header('etag', etag).header('cache-control', 'private, no-cache')
    if (isUnchanged(headers['if-none-match'], etag)) return reply.code(304).send()
    const bytes = method === 'HEAD' ? [] : await begun(oneBehind(found.stream))
    reply.headers(downloadHeaders(params.name, found.mimeType)).header('content-length', found.size)
    return reply.send(Readable.from(bytes, { objectMode: false }))
  })
}

/**
 * Each piece when it is known that another or the end comes: that the bytes are not those that were saved may show after the
 * last piece, and a client that has all of them would take them for good.
 */
async function* oneBehind(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let held: Uint8Array | undefined
  for await (const piece of stream) {
    if (held !== undefined) yield held
    held = piece
  }
  if (held !== undefined) yield held
}

/** The pieces of a stream whose first one is there: until then an error is an answer of its own, not a cut download. */
async function begun(pieces: AsyncGenerator<Uint8Array>): Promise<AsyncIterable<Uint8Array>> {
  const first = await pieces.next()
  return (async function* all() {
    if (first.done !== true) yield first.value
    yield* pieces
  })()
}

/** Milliseconds for an upload, as long as the server waits for a request. */
const timeout = 60_000

const uploadRoute: FastifyPluginAsyncTypebox<Owner> = async (app, { path, whose, one }) => {
  // The bytes as they come, whatever their type says they are.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload))

  const schema = {
    tags,
    summary: `Save the next version of a file ${whose}`,
    description: 'The body is the file. 201, or 200 where the version had been saved with this `Idempotency-Key`.',
    consumes: ['application/octet-stream'],
    params: one,
    headers: Upload,
    body: Type.Unsafe<Readable | undefined>({ description: 'The bytes' }),
    response: { 200: SavedArtifact, 201: SavedArtifact },
  }
  app.put(`${path}/:name`, { schema }, async ({ params, headers, body }, reply) => {
    const { 'content-type': mimeType, 'idempotency-key': saveId } = headers
    const content = body?.iterator({ destroyOnReturn: false }) ?? new Uint8Array()
    const saving = app.store.artifacts.save(params, content, {
      ...(mimeType !== undefined && { mimeType }),
      ...(saveId !== undefined && { saveId }),
      timeout,
    })
    // The rest of a file that was refused on its way is read and dropped: the next request comes behind it.
    const saved = await saving.finally(() => body?.resume())
    reply.code(saved.duplicate ? 200 : 201).header('etag', `"${saved.sha256}"`)
    return saved
  })
}
