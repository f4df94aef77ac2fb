import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'

const self = ["'self'"]
const none = ["'none'"]
const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i

/** Headers, rate limit, and the door: without authentication only pages of this server may talk to it. */
export const security = fp<{ max: number; isLoopback: boolean }>(
  async (app, { max, isLoopback }) => {
    await app.register(helmet, {
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: none,
          scriptSrc: self,
          styleSrc: self,
          imgSrc: ["'self'", 'data:'],
          connectSrc: self,
          baseUri: none,
          formAction: none,
          frameAncestors: none,
        },
      },
      // This server speaks plain http.
      strictTransportSecurity: false,
    })
    await app.register(rateLimit, { max, timeWindow: '1 minute' })
    app.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store')
      const stranger = isLoopback ? strangerIn(request) : undefined
      if (stranger !== undefined)
        throw app.httpErrors.forbidden(`This server talks to its own machine only, not to ${stranger}`)
    })
  },
  { name: 'security', fastify: '5.x', dependencies: ['@fastify/sensible'] },
)

/** A foreign page reaches a loopback server through the visitor's browser: by its own origin, or by a name that it points here. */
function strangerIn({
  hostname,
  host,
  headers: { origin },
}: FastifyRequest): 'this host name' | 'this origin' | undefined {
  if (hostname !== '' && !loopback.test(hostname)) return 'this host name'
  if (origin !== undefined && origin !== `http://${host}`) return 'this origin'
  return undefined
}
