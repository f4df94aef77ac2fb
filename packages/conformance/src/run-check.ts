import { abilities, type Ability, type Fact } from '@daybook/core'
import { isRefused } from './absence.ts'
import type { Check } from './check.ts'
import { BrokenOff } from './model.ts'
import { createContext, type ContextOptions, type Ctx, type Stage } from './context.ts'
import { CheckFailure, describe, Inapplicable, Unproven } from './expect.ts'
import { reasonWithout } from './facts.ts'
import type { Result } from './verdict.ts'

/** Runs one check on a stage: the verdict by the truth table, never an exception. */
export async function runCheck(check: Check, stage: Stage, options: ContextOptions): Promise<Result> {
  const context = createContext(check, stage, options)
  const { ctx } = context
  const started = performance.now()
  const since = () => Math.round(performance.now() - started)
  const stray = strayErrors()
  try {
    const verdict = await perform(check, ctx)
    const unhandled = await stray.end()
    if (unhandled !== undefined) throw new CheckFailure('no rejection is left unhandled', 'none', describe(unhandled))
    return { key: check.key, verdict, ms: since() }
  } catch (error) {
    return { key: check.key, ms: since(), ...verdictOf(error) }
  } finally {
    await stray.end()
    await context.end()
  }
}

const isAbility = (capability: Ability | Fact): capability is Ability => abilities.some((one) => one === capability)

/** By the truth table: the check itself, or what a store that says `no` has to do instead. */
async function perform(check: Check, ctx: Ctx): Promise<'pass' | 'absent-verified'> {
  const { capability } = check
  if (capability === undefined || ctx.store.capabilities[capability] !== 'no') {
    for (const need of check.needs) ctx.need(need)
    await bounded(check.run(ctx), check)
    return 'pass'
  }
  if (!isAbility(capability)) throw new Inapplicable(reasonWithout(capability))
  await isRefused(capability, ctx)
  return 'absent-verified'
}

function verdictOf(error: unknown): Omit<Result, 'key' | 'ms'> {
  if (error instanceof Unproven) return { verdict: 'unproven', reason: error.reason, what: error.message }
  if (error instanceof Inapplicable) return { verdict: 'inapplicable', reason: error.reason, what: error.message }
  if (error instanceof CheckFailure)
    return { verdict: 'fail', what: error.message, expected: error.expected, got: error.got, ...foundAt(error) }
  return {
    verdict: 'error',
    what: 'the check ran into an error that it did not ask for',
    expected: 'no error',
    got: describe(error),
    ...(error instanceof BrokenOff && foundAt(error)),
  }
}

const foundAt = ({ counterexample }: CheckFailure | BrokenOff) => counterexample !== undefined && { counterexample }

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
