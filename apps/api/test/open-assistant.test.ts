import { describe, expect, test } from 'vitest'
import { choose, openAssistant } from '../src/assistant/open-assistant.ts'
import { loadConfig } from '../src/config.ts'
import { createLogger } from '../src/logger.ts'

const chosen = (env: Record<string, string>) => choose(env['MODEL'] ?? '', loadConfig(env))

describe('which assistant answers', () => {
  test.each([{}, { GEMINI_API_KEY: 'k', OPENAI_API_KEY: 'k', OPENAI_BASE_URL: 'http://host/v1' }, { MODEL: '' }])(
    'the rule-based one without a model: %j',
    async (env) => {
      expect((await openAssistant(loadConfig(env), createLogger('silent'))).name).toBe('rule-based')
    },
  )

  test.each<[Record<string, string>, object]>([
    [
      { MODEL: 'gemini-x', GEMINI_API_KEY: 'g' },
      { protocol: 'gemini', apiKey: 'g' },
    ],
    [
      { MODEL: 'gemma-x', GOOGLE_API_KEY: 'g' },
      { protocol: 'gemini', apiKey: 'g' },
    ],
    [
      { MODEL: 'gemini-x', GEMINI_API_KEY: 'g', OPENAI_API_KEY: 'o' },
      { protocol: 'gemini', apiKey: 'g' },
    ],
    [
      { MODEL: 'gpt-x', GEMINI_API_KEY: 'g', OPENAI_API_KEY: 'o' },
      { protocol: 'openai', apiKey: 'o', baseUrl: 'https://api.openai.com/v1' },
    ],
    [
      { MODEL: 'gemini-x', GEMINI_API_KEY: 'g', OPENAI_BASE_URL: 'http://host/v1' },
      { protocol: 'openai', apiKey: undefined, baseUrl: 'http://host/v1' },
    ],
    [
      { MODEL: 'qwen', OPENAI_BASE_URL: 'http://host/v1', OPENAI_API_KEY: '' },
      { protocol: 'openai', apiKey: undefined },
    ],
  ])('%j → %j', (env, expected) => {
    expect(chosen(env)).toMatchObject(expected)
  })

  test('a model without a place is refused', () => {
    expect(() => chosen({ MODEL: 'qwen' })).toThrow(/GEMINI_API_KEY, or OPENAI_BASE_URL/)
  })
})
