import { isStoreError, type Health, type Store } from '@daybook/core'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'

const Alive = Type.Object({
  status: Type.Literal('ok'),
  assistant: Type.String({ description: 'Who answers: `rule-based`, or a model and where it is' }),
})
const Readiness = Type.Object({
  ready: Type.Boolean(),
  database: Type.Object({
    flavour: Type.String(),
    version: Type.String(),
    latency: Type.Union([Type.Number(), Type.Null()], { description: 'Milliseconds of one round trip' }),
    schemaVersion: Type.Union([Type.String(), Type.Null()]),
  }),
})

const config = { rateLimit: false } as const

export const healthRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const alive = { tags: ['health'], summary: 'The process is alive', response: { 200: Alive } }
  app.get('/health', { schema: alive, config, logLevel: 'warn' }, async () => ({
    status: 'ok' as const,
    assistant: app.assistant.name,
  }))

  const ready = {
    tags: ['health'],
    summary: 'The database answers, and its schema is the right one',
    response: { 200: Readiness, 503: Readiness },
  }
  app.get('/ready', { schema: ready, config, logLevel: 'warn' }, async (_request, reply) => {
    const { ok, flavour, version, latency = null, schemaVersion = null } = await healthOf(app.store)
    return reply.code(ok ? 200 : 503).send({ ready: ok, database: { flavour, version, latency, schemaVersion } })
  })
}

const unknown: Health = {
  ok: false,
  flavour: 'unknown',
  version: 'unknown',
  latency: undefined,
  schemaVersion: undefined,
  warnings: [],
}

/** A database that is gone is an answer here, not an error. */
const healthOf = (store: Store): Promise<Health> =>
  store.health({ timeout: 2000 }).catch((error: unknown) => {
    if (isStoreError(error)) return unknown
    throw error
  })
