import type { Check } from './check.ts'
import { createContext, type ContextOptions, type Stage } from './context.ts'
import { CheckFailure, describe, Unproven } from './expect.ts'
import type { Result } from './verdict.ts'

/** The capabilities that the store declares, or what the checks do if it says less than it can. */
const stand = async (check: Check, stage: Stage): Promise<'present' | 'absent'> => {
  if (check.capability === undefined) return 'present'
  return stage.store.capabilities[check.capability] === 'no' ? 'absent' : 'present'
}

/** Runs one check on a stage: the verdict by the truth table, never an exception. */
export async function runCheck(check: Check, stage: Stage, options: ContextOptions): Promise<Result> {
  const context = createContext(check, stage, options)
  const { ctx } = context
  const started = performance.now()
  const since = () => Math.round(performance.now() - started)
  const stray = strayErrors()
  try {
    const state = await stand(check, stage)
    if (state === 'absent') await check.absent?.(ctx)
    else {
      for (const need of check.needs) ctx.need(need)
      await bounded(check.run(ctx), check)
    }
    const unhandled = await stray.end()
    if (unhandled !== undefined) throw new CheckFailure('no rejection is left unhandled', 'none', describe(unhandled))
    return { key: check.key, verdict: state === 'absent' ? 'absent-verified' : 'pass', ms: since() }
  } catch (error) {
    return { key: check.key, ms: since(), ...verdictOf(error) }
  } finally {
    await stray.end()
    await context.end()
  }
}

function verdictOf(error: unknown): Omit<Result, 'key' | 'ms'> {
  if (error instanceof Unproven) return { verdict: 'unproven', reason: error.reason, what: error.message }
  if (error instanceof CheckFailure)
    return { verdict: 'fail', what: error.message, expected: error.expected, got: error.got }
  return {
    verdict: 'error',
    what: 'the check ran into an error that it did not ask for',
    expected: 'no error',
    got: describe(error),
  }
}

async function bounded(run: Promise<void>, { budgetMs }: Check): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`the check did not end within ${budgetMs} ms`)), budgetMs)
  })
  try {
    await Promise.race([run, late])
  } finally {
    clearTimeout(timer)
    run.catch(() => {}) // after its time is over nobody listens any more
  }
}

/** Rejections that nobody handled while the check ran. */
function strayErrors(): { end(): Promise<unknown> } {
  let first: unknown
  const listen = (error: unknown) => (first ??= error)
  process.on('unhandledRejection', listen)
  return {
    async end() {
      await new Promise((resolve) => setImmediate(resolve)) // Node reports them after the microtasks of this turn
      process.off('unhandledRejection', listen)
      return first
    },
  }
}
