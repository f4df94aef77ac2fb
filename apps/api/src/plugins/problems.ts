import { isStoreError, uuidv7, type ErrorCode, type StoreError } from '@daybook/core'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { ModelError, type ModelFailure } from '../model/model-error.ts'
import { Problem } from '../schemas/problem.ts'

/** Every code of the store has a status; a new code does not compile without one. */
const statuses: Record<ErrorCode, number> = {
  not_found: 404,
  already_exists: 409,
  conflict: 409,
  invalid_argument: 400,
  limit_exceeded: 413,
  invalid_cursor: 400,
  unsupported: 501,
  unavailable: 503,
  outcome_unknown: 503,
  timeout: 504,
  busy: 503,
  aborted: 499,
  closed: 503,
  schema_mismatch: 500,
  corrupt: 500,
  internal: 500,
}

/** What a 5xx says instead of its message. */
const publicDetails: Partial<Record<ErrorCode, string>> = {
  unsupported: 'The database of this server does not support what was asked for.',
  unavailable: 'The database cannot be reached. The request can be repeated.',
  outcome_unknown: 'The reply of the database was lost. The request can be repeated safely with the same ids.',
  timeout: 'The database did not answer in time. The request can be repeated.',
  busy: 'The database is busy. The request can be repeated.',
  closed: 'The server is stopping. The request can be repeated.',
}

/** What a client is told of a model that gave no answer. What its server said is for the log: it may quote anything. */
const modelFailures: Record<ModelFailure, { readonly status: number; readonly detail: string }> = {
  unavailable: {
    status: 503,
    detail: 'The language model cannot be reached, or is too busy. Ask again a little later.',
  },
  refused: { status: 502, detail: 'The language model does not take the requests of this server; its log says why.' },
  malformed: { status: 502, detail: 'The language model gave no whole answer. The request can be repeated.' },
  timeout: { status: 504, detail: 'The language model did not answer in time. The request can be repeated.' },
  blocked: { status: 502, detail: 'The language model will not answer this.' },
}

/** Codes of what goes wrong before a store is asked. */
const httpCodes: Record<number, string> = {
  400: 'invalid_argument',
  403: 'forbidden',
  404: 'not_found',
  413: 'limit_exceeded',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  503: 'closed',
}

export const problems = fp(
  async (app) => {
    app.addSchema(Problem)
    app.addHook('onRoute', ({ schema }) => {
      if (schema === undefined || schema.hide === true) return
      const content = { 'application/problem+json': { schema: { $ref: 'Problem#' } } }
      const documented = { '4xx': { description: 'Refused', content }, '5xx': { description: 'Failed', content } }
      schema.response = { ...(schema.response as object | undefined), ...documented } // Fastify types it `unknown`
    })
    app.setErrorHandler<FastifyError>((error, request, reply) => sendProblem(error, request, reply))
    app.setNotFoundHandler((request, reply) => {
      const detail = `There is no route ${request.method} ${request.url.split('?')[0]}`
      return send(reply, {
        ...named('not_found', 404),
        title: 'No such route',
        detail,
        retryable: false,
        instance: request.id,
      })
    })
  },
  { name: 'problems', fastify: '5.x' },
)

/** Answers an error as RFC 9457 says, and logs it when it is ours. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error, request)
  // A client decides how often it asks for what this database cannot do.
  if (problem.status >= 500 && problem.code !== 'unsupported') request.log.error({ err: error }, 'request failed')
  else request.log.info({ code: problem.code, field: problem.field }, 'request refused')
  return send(reply, problem)
}

const unreadable: Record<string, number> = { HPE_HEADER_OVERFLOW: 431, ERR_HTTP_REQUEST_TIMEOUT: 408 }

/** Answers what cannot be read as HTTP, and so never becomes a request. */
export function refuseClient({ code }: { code: string }, socket: Socket): void {
  const status = unreadable[code] ?? 400
  if (!socket.writable) return void socket.destroy()
  const detail = 'This could not be read as an HTTP request'
  const body = JSON.stringify({ ...named('unreadable', status), detail, retryable: false, instance: uuidv7() })
  const head = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\nconnection: close`
  socket.end(`${head}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
}

/** What a client may know about an error. Messages of 5xx stay here. */
export function problemOf(error: unknown, request: FastifyRequest): Problem {
  const instance = request.id
  if (isStoreError(error)) return { ...storeProblem(error, request), instance }
  if (error instanceof ModelError) return { ...modelProblem(error), instance }
  const {
    statusCode = 500,
    code = '',
    message = '',
    validation,
    validationContext,
  } = (error ?? {}) as Partial<FastifyError> // whatever was thrown, it is only read
  if (validation !== undefined) {
    const { field, detail } = refusal(validation[0], validationContext)
    return { ...named('invalid_argument', 400), detail, field, retryable: false, instance }
  }
  if (statusCode < 400 || statusCode >= 500) {
    return { ...named('internal', 500), detail: 'Something went wrong on the server.', retryable: false, instance }
  }
  const field = partOf(code)
  return {
    ...named(httpCodes[statusCode] ?? 'refused', statusCode),
    detail: message,
    retryable: statusCode === 429,
    instance,
    ...(field !== undefined && { field }),
  }
}

function send(reply: FastifyReply, problem: Problem): FastifyReply {
  // A URL that cannot be read comes here before any hook.
  reply.header('x-request-id', problem.instance).header('x-content-type-options', 'nosniff')
  if (problem.status === 503 && problem.retryable) reply.header('retry-after', 1)
  return reply.code(problem.status).type('application/problem+json').send(problem)
}

function storeProblem(error: StoreError, { headers }: FastifyRequest): Omit<Problem, 'instance'> {
  const { code, message, retryable, facts } = error
  // A conflict about an id names it; one about the revision has no field.
  const isPrecondition = code === 'conflict' && facts.field === undefined && headers['if-match'] !== undefined
  const status = isPrecondition ? 412 : statuses[code]
  const { field, limit, actual, revision, capability, sessionId, eventIds, saveId } = facts
  return {
    ...named(code, status),
    detail: status < 500 ? message : (publicDetails[code] ?? 'Something went wrong on the server.'),
    retryable: retryable || code === 'closed',
    ...(field !== undefined && { field: fieldOf(field) }),
    ...(limit !== undefined && { limit }),
    ...(actual !== undefined && { actual }),
    ...(revision !== undefined && { revision }),
    ...(capability !== undefined && { capability }),
    ...(sessionId !== undefined && { sessionId }),
    ...(eventIds !== undefined && { eventIds: [...eventIds] }),
    ...(saveId !== undefined && { saveId }),
  }
}

function modelProblem({ failure, isRetryable }: ModelError): Omit<Problem, 'instance'> {
  const { status, detail } = modelFailures[failure]
  return { ...named(`model_${failure}`, status), detail, retryable: isRetryable }
}

const named = (code: string, status: number) => ({
  type: `urn:daybook:problem:${code}`,
  title: code.charAt(0).toUpperCase() + code.slice(1).replaceAll('_', ' '),
  status,
  code,
})

/** Which part of the request an error of Fastify is about. */
function partOf(code: string): string | undefined {
  if (code === 'FST_ERR_BAD_URL') return 'path'
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') return 'content-type'
  return code.startsWith('FST_ERR_CTP_') ? 'body' : undefined
}

/** The store names its own arguments; a client knows the parts of its request. */
const fieldOf = (field: string): string =>
  field
    .replace(/^session\.set\b/, 'state')
    .replace(/^event\.id$/, 'eventId')
    .replace(/^seq$/, 'atSeq')
    .replace(/^id$/, 'memoryId')
    .replace(/^content$/, 'body')
    .replace(/^mimeType$/, 'content-type')
    .replace(/^saveId$/, 'Idempotency-Key')
    .replace(/^(?:key|session|change|query|options)\./, '')

type Refusal = NonNullable<FastifyError['validation']>[number]

const partNames: Record<string, string> = { body: 'body', querystring: 'query', params: 'path', headers: 'headers' }

/** TypeBox refuses an unknown member by the schema `false`, whose keyword is `boolean`. */
const plainWords: Record<string, string> = {
  required: 'is missing',
  additionalProperties: 'is not known here',
  boolean: 'is not known here',
}

/** Which part of a request did not match its schema, and how. */
function refusal(first: Refusal | undefined, context: string | undefined): { field: string; detail: string } {
  const part = partNames[context ?? ''] ?? 'request'
  const path = (first?.instancePath ?? '')
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
  const missing = first?.params['requiredProperties'] ?? first?.params['additionalProperties']
  if (Array.isArray(missing) && missing.length > 0) path.push(String(missing[0]))
  const field = path.reduce(
    (sum, name) => (/^\d+$/.test(name) ? `${sum}[${name}]` : sum === '' ? name : `${sum}.${name}`),
    '',
  )
  const what = plainWords[first?.keyword ?? ''] ?? first?.message ?? 'is not valid'
  return { field: field === '' ? part : field, detail: `${field === '' ? `The ${part}` : field} ${what}` }
}
