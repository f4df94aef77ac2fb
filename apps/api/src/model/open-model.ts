import { setLogger, type BaseLlm } from '@google/adk'
import type { FastifyBaseLogger } from 'fastify'
import type { Assistant } from '../assistant/assistant.ts'
import type { ModelChoice } from '../assistant/open-assistant.ts'
import { GeminiModel } from './gemini-model.ts'
import { createModelAssistant } from './model-assistant.ts'
import { OpenAiModel } from './open-ai-model.ts'

export type OpenModelOptions = ModelChoice & {
  /** Milliseconds that the model may be silent. */
  readonly patience: number
  readonly logger: FastifyBaseLogger
}

export function openModelAssistant({ patience, logger, ...choice }: OpenModelOptions): Assistant {
  logThrough(logger)
  const { model, apiKey = '' } = choice
  const name = `${model} at ${choice.protocol === 'gemini' ? hostOf(choice.baseUrl, 'Gemini') : hostOf(choice.baseUrl, 'OpenAI')}`
  return createModelAssistant({ name, model: modelOf(choice), patience, secrets: [apiKey] })
}

const modelOf = (choice: ModelChoice): BaseLlm =>
  choice.protocol === 'gemini' ? new GeminiModel(choice) : new OpenAiModel(choice)

/** An address may hold a password, so only its host is shown. */
function hostOf(baseUrl: string | undefined, vendor: string): string {
  if (baseUrl === undefined) return vendor
  return URL.canParse(baseUrl) ? new URL(baseUrl).host : vendor
}

const quiet = () => {}

/**
 * ADK writes to the console, what it says of details holds whole events, and it warns of every event that is not one of its
 * agents'.
 */
function logThrough(logger: FastifyBaseLogger): void {
  const say =
    (level: 'debug' | 'warn') =>
    (...words: unknown[]) =>
      logger[level]({ adk: words.map(String).join(' ') }, 'ADK')
  setLogger({
    log: quiet,
    debug: quiet,
    info: say('debug'),
    warn: say('debug'),
    error: say('warn'),
    setLogLevel: quiet,
  })
}
