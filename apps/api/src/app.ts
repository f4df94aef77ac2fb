import type { Store } from '@daybook/core'
import { uuidv7 } from '@daybook/core'
import sensible from '@fastify/sensible'
import Fastify, { type FastifyBaseLogger, type FastifyInstance } from 'fastify'
import type { Assistant } from './assistant/assistant.ts'
import { createRuleBased, type Pace } from './assistant/rule-based.ts'
import { docs } from './plugins/docs.ts'
import { problems, refuseClient, sendProblem } from './plugins/problems.ts'
import { security } from './plugins/security.ts'
import { shutdown } from './plugins/shutdown.ts'
import { storePlugin } from './plugins/store.ts'
import { streams } from './plugins/streams.ts'
import { turnsPlugin } from './plugins/turns.ts'
import { validatorCompiler } from './plugins/validation.ts'
import { artifactRoutes } from './routes/artifacts.ts'
import { eventRoutes } from './routes/events.ts'
import { eventStreamRoute } from './routes/event-stream.ts'
import { healthRoutes } from './routes/health.ts'
import { memoryRoutes } from './routes/memories.ts'
import { messageRoute } from './routes/messages.ts'
import { pageRoutes } from './routes/page.ts'
import { sessionRoutes } from './routes/sessions.ts'
import { stateRoutes } from './routes/state.ts'

export interface AppOptions {
  /** Migrated by the caller; closed with the app. */
  readonly store: Store
  readonly logger?: FastifyBaseLogger
  /** Requests a minute from one address. */
  readonly rateLimit?: number
  /** Whether the server listens on loopback only; then names and origins of others are refused. */
  readonly isLoopback?: boolean
  /** Milliseconds between two signs of life on a stream. */
  readonly heartbeat?: number
  readonly pace?: Pace
  /** Who answers messages; the rule-based one when nothing is said. */
  readonly assistant?: Assistant
}

export async function buildApp(options: AppOptions): Promise<FastifyInstance> {
  const { store, logger, rateLimit = 6000, isLoopback = true, heartbeat = 15_000, pace = {} } = options
  const { assistant = createRuleBased(pace) } = options
  const app = Fastify({
    ...(logger !== undefined && { loggerInstance: logger }),
    genReqId: ({ headers }) => idIn(headers['x-request-id']) ?? uuidv7(),
    // A batch of events in JSON, whose escapes may take more room than the text.
    bodyLimit: Math.ceil(store.limits.batchBytes * 1.5),
    requestTimeout: 60_000,
    // Said in the shape of every other problem, by the plugin of streams.
    return503OnClosing: false,
    // An id of 512 bytes, percent-encoded, and more, so that it is the store that says what is too long.
    routerOptions: { maxParamLength: 16_384 },
    // These are plain keys of a document; nothing here merges one into an object.
    onProtoPoisoning: 'ignore',
    onConstructorPoisoning: 'ignore',
    clientErrorHandler: refuseClient,
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply),
  })
  app.setValidatorCompiler(validatorCompiler)
  app.removeContentTypeParser('text/plain')
  app.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
  })

  await app.register(shutdown)
  await app.register(problems)
  await app.register(sensible)
  await app.register(security, { max: rateLimit, isLoopback })
  await app.register(docs)
  await app.register(storePlugin, { store })
  await app.register(streams, { heartbeat })
  await app.register(turnsPlugin, { assistant })

  await app.register(healthRoutes)
  await app.register(pageRoutes)
  await app.register(sessionRoutes)
  await app.register(eventRoutes)
  await app.register(eventStreamRoute)
  await app.register(stateRoutes)
  await app.register(artifactRoutes)
  await app.register(memoryRoutes)
  await app.register(messageRoute)
  return app
}

/** A client's own request id, if it is fit for logs and headers. */
const idIn = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' && /^[\w.:-]{1,128}$/.test(header) ? header : undefined
