import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config.ts'
import { installed } from '../installed.ts'
import type { Assistant } from './assistant.ts'
import { createRuleBased } from './rule-based.ts'

/**
 * The assistant that the environment asks for: a model where MODEL names one, else the rule-based one. A key alone asks for
 * nothing, since many have one for other programs. ADK loads when it is chosen.
 */
export async function openAssistant(config: Config, logger: FastifyBaseLogger): Promise<Assistant> {
  const { MODEL, MODEL_TIMEOUT: patience, ASSISTANT_STEP_DELAY: step, ASSISTANT_WORD_DELAY: word } = config
  if (MODEL === undefined) return createRuleBased({ step, word })
  const choice = choose(MODEL, config)
  const packages = ['@daybook/adk', '@google/adk', 'zod']
  const { openModelAssistant } = await installed('MODEL is set', packages, () => import('../model/open-model.ts'))
  return openModelAssistant({ ...choice, patience, logger })
}

/** Which server a model is asked of. */
export type ModelChoice =
  | {
      readonly protocol: 'gemini'
      readonly model: string
      readonly apiKey: string
      readonly baseUrl: string | undefined
    }
  | {
      readonly protocol: 'openai'
      readonly model: string
      readonly apiKey: string | undefined
      readonly baseUrl: string
    }

/** An address decides; then a model's name; then the key that is there. */
export function choose(model: string, config: Config): ModelChoice {
  const { OPENAI_BASE_URL, OPENAI_API_KEY, GEMINI_API_KEY = config.GOOGLE_API_KEY, GOOGLE_GEMINI_BASE_URL } = config
  const gemini = GEMINI_API_KEY !== undefined && {
    protocol: 'gemini' as const,
    model,
    apiKey: GEMINI_API_KEY,
    baseUrl: GOOGLE_GEMINI_BASE_URL,
  }
  const openAi = { protocol: 'openai' as const, model, apiKey: OPENAI_API_KEY }
  if (OPENAI_BASE_URL !== undefined) return { ...openAi, baseUrl: OPENAI_BASE_URL }
  if (gemini !== false && (model.startsWith('gemini') || OPENAI_API_KEY === undefined)) return gemini
  if (OPENAI_API_KEY !== undefined) return { ...openAi, baseUrl: 'https://api.openai.com/v1' }
  throw new Error(
    'MODEL is set, but not where it is: set GEMINI_API_KEY, or OPENAI_BASE_URL for a server that is compatible with OpenAI, or OPENAI_API_KEY',
  )
}
