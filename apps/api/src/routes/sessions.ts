import {
  isStoreError,
  StoreError,
  type EventFilter,
  type GetSessionOptions,
  type Session as StoredSession,
  type SessionKey,
  type SessionQuery as StoreQuery,
  type StateCondition,
  type Store,
} from '@daybook/core'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { AppParams, SessionParams, UserParams } from '../schemas/key.ts'
import { PageOf } from '../schemas/page.ts'
import {
  Fork,
  LoadedSession,
  LoadQuery,
  NamedSession,
  NewSession,
  Session,
  SessionQuery,
  SessionSummary,
} from '../schemas/session.ts'
import { noSession } from './missing.ts'

const sessions = '/apps/:appName/users/:userId/sessions'
const session = `${sessions}/:sessionId`
const tags = ['sessions']

export const sessionRoutes: FastifyPluginAsyncTypebox = async (app) => {
  await app.register(readRoutes)
  await app.register(writeRoutes)
  await app.register(userRoutes)
}

const readRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const listed = { tags, querystring: SessionQuery, response: { 200: PageOf(SessionSummary) } }

  app.get(
    sessions,
    { schema: { ...listed, summary: 'The sessions of a user, newest first', params: UserParams } },
    async ({ params, query }) => {
      const { items, nextCursor = null } = await app.store.sessions.list({ ...params, ...queryOf(query) })
      return { items, nextCursor }
    },
  )

  app.get(
    '/apps/:appName/sessions',
    { schema: { ...listed, summary: 'The sessions of all users of an app', params: AppParams } },
    async ({ params, query }) => {
      const { items, nextCursor = null } = await app.store.sessions.list({ ...params, ...queryOf(query) })
      return { items, nextCursor }
    },
  )

  const loaded = {
    tags,
    summary: 'A session, its merged state, and the events asked for',
    params: SessionParams,
    querystring: LoadQuery,
    response: { 200: LoadedSession },
  }
  app.get(session, { schema: loaded }, async ({ params, query }, reply) => {
    const found = await app.store.sessions.get(params, eventsIn(query))
    if (found === undefined) throw noSession(params)
    reply.header('etag', `"${found.revision}"`)
    return found
  })
}

const writeRoutes: FastifyPluginAsyncTypebox = async (app) => {
  // Without a body there is nothing to say but the id.
  app.addHook('preValidation', async (request) => {
    request.body ??= {}
  })

  const created = {
    tags,
    summary: 'Create a session; a known id is 409',
    params: UserParams,
    body: NewSession,
    response: { 201: Session },
  }
  app.post(sessions, { schema: created }, async ({ params, body }, reply) => {
    reply.code(201)
    return app.store.sessions.create({ ...params, ...body })
  })

  const put = {
    tags,
    summary: 'Create a session, or answer the one that is there; safe to repeat',
    params: SessionParams,
    body: NamedSession,
    response: { 200: Session, 201: Session },
  }
  app.put(session, { schema: put }, async ({ params, body }, reply) => {
    const { isNew, ...stored } = await createOnce(app.store, { ...params, ...body })
    reply.code(isNew ? 201 : 200)
    return stored
  })

  const fork = {
    tags,
    summary: 'Copy a session up to an event',
    params: SessionParams,
    body: Fork,
    response: { 201: Session },
  }
  app.post(`${session}/fork`, { schema: fork }, async ({ params, body }, reply) => {
    reply.code(201)
    return app.store.sessions.fork(params, body)
  })
}

const Receipt = Type.Object({
  sessions: Type.Integer(),
  events: Type.Integer(),
  userStates: Type.Integer(),
  memories: Type.Integer(),
  artifacts: Type.Integer(),
  metrics: Type.Integer(),
})

const userRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const removed = {
    tags,
    summary: 'Delete a session with its events; safe to repeat',
    params: SessionParams,
    response: { 204: Type.Null() },
  }
  app.delete(session, { schema: removed }, async ({ params }, reply) => {
    await app.store.sessions.delete(params)
    reply.code(204)
    return null
  })

  const erased = {
    tags,
    summary: 'Erase everything of a user; safe to repeat',
    params: UserParams,
    response: { 200: Receipt },
  }
  app.delete('/apps/:appName/users/:userId', { schema: erased }, async ({ params }) => app.store.erase(params))
}

async function createOnce(
  store: Store,
  wanted: SessionKey & { state?: Readonly<Record<string, unknown>> },
): Promise<StoredSession & { isNew: boolean }> {
  try {
    return { ...(await store.sessions.create(wanted)), isNew: true }
  } catch (error) {
    if (!(isStoreError(error) && error.code === 'already_exists')) throw error
    const found = await store.sessions.get(wanted)
    // Deleted between the two; a repeat creates it.
    if (found === undefined) throw new StoreError('busy', 'the session came and went', { cause: error })
    const { events: _none, ...stored } = found
    return { ...stored, isNew: false }
  }
}

function eventsIn({ events, ...filter }: EventFilter & { events?: 'all' }): GetSessionOptions {
  if (events === undefined) return Object.keys(filter).length === 0 ? {} : { events: filter }
  if (Object.keys(filter).length > 0)
    throw new StoreError('invalid_argument', 'events=all takes no filter', { field: 'events' })
  return { events }
}

/** The store checks the conditions; here they only have to be a list in JSON. */
function queryOf({ where, ...query }: Static<typeof SessionQuery>): Omit<StoreQuery, 'appName'> {
  if (where === undefined) return query
  try {
    const parsed: unknown = JSON.parse(where)
    if (Array.isArray(parsed)) return { ...query, where: parsed as StateCondition[] } // checked by the store
  } catch {
    // said below, with the same words
  }
  throw new StoreError('invalid_argument', 'where must be a JSON list of conditions', { field: 'where' })
}
