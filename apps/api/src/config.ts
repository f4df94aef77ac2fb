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
})

export type Config = Static<typeof Config>

/** The configuration out of environment variables; throws with the name of one that is wrong. */
export const loadConfig = (env: NodeJS.ProcessEnv = process.env): Config =>
  envSchema<Config>({ schema: Config, data: env, env: false })
