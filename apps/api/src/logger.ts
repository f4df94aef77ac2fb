import { isStoreError } from '@daybook/core'
import type { FastifyBaseLogger, FastifyRequest } from 'fastify'
import { pino, stdSerializers, type DestinationStream } from 'pino'

const secrets = [
  'authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'password',
  'token',
  'secret',
  'apiKey',
  'DATABASE_URL',
  'GEMINI_API_KEY',
  'GOOGLE_API_KEY',
  'OPENAI_API_KEY',
]

/** One logger for server and store. Requests are logged without query and headers, secrets are replaced. */
export function createLogger(level: string, destination?: DestinationStream): FastifyBaseLogger {
  const options = {
    level,
    redact: secrets.flatMap((name) => [`["${name}"]`, `*["${name}"]`, `*.headers["${name}"]`]),
    serializers: { req: requestFacts, err: errorFacts },
  }
  if (destination !== undefined) return pino(options, destination)
  return pino(process.stdout.isTTY ? { ...options, transport: { target: 'pino-pretty' } } : options)
}

const requestFacts = ({ id, method, url, ip }: FastifyRequest) => ({ id, method, path: url.split('?')[0], ip })

/** The cause of a store's error is the driver's, whose message may carry SQL and payloads; only its name and code are logged. */
function errorFacts(error: unknown): object {
  if (!isStoreError(error)) return error instanceof Error ? stdSerializers.err(error) : { value: typeof error }
  const { cause, stack } = error
  return { ...error.toJSON(), type: error.name, stack, ...(cause instanceof Error && { cause: causeFacts(cause) }) }
}

const causeFacts = (cause: Error) => ({ name: cause.name, ...('code' in cause && { code: cause.code }) })
