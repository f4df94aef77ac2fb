import { envSchema } from 'env-schema'
import { Type, type Static } from 'typebox'

const Config = Type.Object({
  /** Loopback, because there is no authentication yet. */
  HOST: Type.String({ minLength: 1, default: '127.0.0.1' }),
  /** 0 takes any free port. */
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3000 }),
  DATABASE_URL: Type.String({ minLength: 1, default: './data/daybook.db' }),
  LOG_LEVEL: Type.Enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], { default: 'info' }),
  /** Requests a minute from one address. */
  RATE_LIMIT: Type.Integer({ minimum: 1, default: 6000 }),
  /** Milliseconds that the assistant waits before each event of a turn, to show (and to test) one that takes its time. */
  ASSISTANT_STEP_DELAY: Type.Integer({ minimum: 0, default: 0 }),
  /** Milliseconds between two words of a streamed answer. */
  ASSISTANT_WORD_DELAY: Type.Integer({ minimum: 0, default: 20 }),
  /** The language model behind the assistant; without it the assistant is rule-based. */
  MODEL: Type.Optional(Type.String({ minLength: 1 })),
  GEMINI_API_KEY: Type.Optional(Type.String({ minLength: 1 })),
  GOOGLE_API_KEY: Type.Optional(Type.String({ minLength: 1 })),
  GOOGLE_GEMINI_BASE_URL: Type.Optional(Type.String({ pattern: '^https?://' })),
  OPENAI_API_KEY: Type.Optional(Type.String({ minLength: 1 })),
  OPENAI_BASE_URL: Type.Optional(Type.String({ pattern: '^https?://' })),
  /** Milliseconds that a model may be silent. Node's fetch lets a server be silent for five minutes. */
  MODEL_TIMEOUT: Type.Integer({ minimum: 1, maximum: 300_000, default: 120_000 }),
})

export type Config = Static<typeof Config>

/** An empty one of these is none, as `docker run --env OPENAI_API_KEY=` has it. */
const optional = new Set(
  Object.entries(Config.properties).flatMap(([name, schema]) => ('default' in schema ? [] : [name])),
)

/** The configuration out of environment variables; throws with the name of one that is wrong. */
export const loadConfig = (env: NodeJS.ProcessEnv = process.env): Config => {
  const data = Object.fromEntries(Object.entries(env).filter(([name, value]) => !(value === '' && optional.has(name))))
  return envSchema<Config>({ schema: Config, data, env: false })
}
