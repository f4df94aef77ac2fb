import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Append, Appended, EventQuery, StoredEvent } from '../schemas/event.ts'
import { EventParams, Precondition, SessionParams } from '../schemas/key.ts'
import { PageOf } from '../schemas/page.ts'
import { noEvent } from './missing.ts'
import { expectation } from './precondition.ts'

const events = '/apps/:appName/users/:userId/sessions/:sessionId/events'
const tags = ['events']

export const eventRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const listed = {
    tags,
    summary: 'The events of a session in their order; a missing session has none',
    params: SessionParams,
    querystring: EventQuery,
    response: { 200: PageOf(StoredEvent) },
  }
  app.get(events, { schema: listed }, async ({ params, query }) => {
    const { items, nextCursor = null } = await app.store.events.list(params, query)
    return { items, nextCursor }
  })

  const one = { tags, summary: 'One event by its id', params: EventParams, response: { 200: StoredEvent } }
  app.get(`${events}/:eventId`, { schema: one }, async ({ params }) => {
    const found = await app.store.events.get(params, params.eventId)
    if (found === undefined) throw noEvent(params.eventId)
    return found
  })

  const appended = {
    tags,
    summary: 'Append events: all or none, in one transaction with their changes of state',
    description:
      '201 if something was stored, 200 if every event was there already. Another revision than the expected one is 409 (412 with `If-Match`); ' +
      'a known id with another payload is 409.',
    params: SessionParams,
    headers: Precondition,
    body: Append,
    response: { 200: Appended, 201: Appended },
  }
  app.post(
    events,
    { schema: appended },
    async ({ params, headers, body: { events: batch, expectedRevision, ...options } }, reply) => {
      const result = await app.store.events.append(params, batch, {
        ...options,
        ...expectation(headers, expectedRevision),
      })
      reply.code(result.events.every(({ duplicate }) => duplicate) ? 200 : 201)
      const { state, newEvents } = result
      return {
        events: result.events,
        revision: result.revision,
        ...(state !== undefined && { state }),
        ...(newEvents !== undefined && { newEvents }),
      }
    },
  )
}
