import closeWithGrace from 'close-with-grace'
import type { FastifyInstance } from 'fastify'
import { buildApp } from './app.ts'
import { openAssistant } from './assistant/open-assistant.ts'
import { loadConfig } from './config.ts'
import { openDatabase } from './database.ts'
import { createLogger } from './logger.ts'

try {
  await serve()
} catch (error) {
  // What a person has to put right needs a sentence, not a stack; the rest is in the log.
  console.error(`Daybook did not start: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

async function serve(): Promise<void> {
  const config = loadConfig()
  const logger = createLogger(config.LOG_LEVEL)
  // From here on, so that a signal during the start is a clean end, too.
  let app: FastifyInstance | undefined
  closeWithGrace({ delay: 5000, logger: false }, async ({ err }) => {
    if (err !== undefined) logger.fatal({ err }, 'stopping')
    await app?.close()
  })
  const assistant = await openAssistant(config, logger)
  const store = await openDatabase(config.DATABASE_URL, { logger })
  await store.migrate()
  const isLoopback = /^(?:localhost|127\..*|::1)$/.test(config.HOST)
  app = await buildApp({
    store,
    logger,
    rateLimit: config.RATE_LIMIT,
    isLoopback,
    assistant,
  })
  if (!isLoopback)
    app.log.warn(
      'Listening beyond this machine, without authentication: whoever reaches the port reads and writes everything',
    )
  const address = await app.listen({ host: config.HOST, port: config.PORT })
  const hint = config.MODEL === undefined ? ', without a language model; MODEL names one' : ''
  console.log(`The assistant is ${assistant.name}${hint}`)
  console.log(`Daybook is at ${address} (API at ${address}/docs)`)
}
