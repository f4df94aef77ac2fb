import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'

const tags = [
  { name: 'messages', description: 'Talk to the built-in assistant' },
  { name: 'sessions', description: 'One conversation of one user with one app' },
  { name: 'events', description: 'Immutable entries of a session' },
  { name: 'state', description: 'JSON documents of an app, a user, a session' },
  {
    name: 'memories',
    description: 'What is remembered of a user in all sessions, the notes of the assistant among it',
  },
  { name: 'artifacts', description: 'Versioned files of a session or a user' },
  { name: 'health', description: 'For those who watch the server' },
]

const docsPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** OpenAPI from the routes' schemas, and a page to try them; all of it is served from here. */
export const docs = fp(
  async (app) => {
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: 'Daybook',
          description: 'Sessions, events, state, memories and files of AI agents. Errors are RFC 9457 problem details.',
          version: '0.1.0',
        },
        tags,
      },
      refResolver: {
        buildLocalReference: (schema, _base, _fragment, i) =>
          typeof schema['$id'] === 'string' ? schema['$id'] : `def-${i}`,
      },
    })
    await app.register(swaggerUi, {
      routePrefix: '/docs',
      uiConfig: { validatorUrl: null },
      // Swagger UI sets styles of its own; scripts stay under the strict policy.
      staticCSP: true,
      transformStaticCSP: () => docsPolicy,
    })
  },
  { name: 'docs', fastify: '5.x' },
)
