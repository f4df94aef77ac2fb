import { StoreError, type ScopedState as Stored, type SessionKey, type StateChange, type StateKey } from '@daybook/core'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type, type Static } from 'typebox'
import { AppParams, Precondition, SessionParams, UserParams } from '../schemas/key.ts'
import { Change, Document, ScopedState, SessionState } from '../schemas/state.ts'
import { noSession } from './missing.ts'
import { expectation } from './precondition.ts'

const tags = ['state']
const session = '/apps/:appName/users/:userId/sessions/:sessionId/state'

export const stateRoutes: FastifyPluginAsyncTypebox = async (app) => {
  await app.register(scopedRoutes)
  await app.register(sessionStateRoutes)
}

const scopedRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const read = async (key: StateKey) => answer(await app.store.state.get(key))
  const write = async (key: StateKey, body: Static<typeof Change>, headers: Static<typeof Precondition>) =>
    answer(await app.store.state.update(key, changeIn(body), expectation(headers, body.expectedRevision)))
  const reading = { tags, response: { 200: ScopedState } }
  const writing = { ...reading, headers: Precondition, body: Change }
  const ofApp = { params: AppParams, summary: 'State of an app' }
  const ofUser = { params: UserParams, summary: 'State of a user of an app' }

  app.get('/apps/:appName/state', { schema: { ...reading, ...ofApp } }, ({ params }) => read(params))
  app.patch('/apps/:appName/state', { schema: { ...writing, ...ofApp } }, ({ params, body, headers }) =>
    write(params, body, headers),
  )
  app.get('/apps/:appName/users/:userId/state', { schema: { ...reading, ...ofUser } }, ({ params }) => read(params))
  app.patch('/apps/:appName/users/:userId/state', { schema: { ...writing, ...ofUser } }, ({ params, body, headers }) =>
    write(params, body, headers),
  )
}

const PointInTime = Type.Object(
  { atSeq: Type.Optional(Type.Integer({ minimum: 0, description: 'The own state of the session after this event' })) },
  { additionalProperties: false },
)
const StateAt = Type.Object({ state: Document, revision: Type.Optional(Type.Integer()) })

const sessionStateRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const read = {
    tags,
    summary: 'Merged state of a session, or its own state at an earlier event',
    params: SessionParams,
    querystring: PointInTime,
    response: { 200: StateAt },
  }
  app.get(session, { schema: read }, async ({ params, query: { atSeq } }) => {
    if (atSeq !== undefined) return { state: (await app.store.sessions.stateAt(params, atSeq)) ?? missing(params) }
    const { state, revision } = (await app.store.sessions.get(params)) ?? missing(params)
    return { state, revision }
  })

  const write = {
    tags,
    summary: 'Change state outside the event history',
    params: SessionParams,
    headers: Precondition,
    body: Change,
    response: { 200: SessionState },
  }
  app.patch(session, { schema: write }, async ({ params, body, headers }) => {
    const { state, revision } = await app.store.sessions.update(
      params,
      changeIn(body),
      expectation(headers, body.expectedRevision),
    )
    return { state, revision }
  })
}

const answer = (
  { state, revision, updatedAt }: Stored | { state: object; revision: 0; updatedAt: null } = {
    state: {},
    revision: 0,
    updatedAt: null,
  },
) => ({
  state: { ...state },
  revision,
  updatedAt,
})

function changeIn({ set, unset, replace }: Static<typeof Change>): StateChange {
  if (replace === undefined) return { ...(set !== undefined && { set }), ...(unset !== undefined && { unset }) }
  if (set === undefined && unset === undefined) return { replace }
  throw new StoreError('invalid_argument', 'replace is a whole new document and takes no set or unset beside it', {
    field: 'replace',
  })
}

function missing(key: SessionKey): never {
  throw noSession(key)
}
