import { abilities, isStoreError, type Ability, type Fact } from '@daybook/core'
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
    if (unhandled !== undefined) throw unhandledError(unhandled)
    return { key: check.key, verdict, ms: since() }
  } catch (error) {
    const unhandled = await stray.end()
    // An exception out of nowhere is why the check ran out of its time, or saw what it did not expect.
    const shown = unhandled === undefined || error instanceof CheckFailure ? error : unhandledError(unhandled)
    return { key: check.key, ms: since(), ...verdictOf(shown) }
  } finally {
    await context.end()
  }
}

const unhandledError = (error: Error) =>
  new CheckFailure('no rejection and no exception is left unhandled', 'none', error.message, { cause: error.cause })

const isAbility = (capability: Ability | Fact): capability is Ability => abilities.some((one) => one === capability)

/** By the truth table: the check itself, or what a store that says `no` has to do instead. */
async function perform(check: Check, ctx: Ctx): Promise<'pass' | 'absent-verified'> {
  const { capability } = check
  if (capability === undefined || ctx.store.capabilities[capability] !== 'no') {
    for (const need of check.needs) ctx.need(need)
    if (check.settings !== undefined && ctx.place.settings === undefined)
      throw new Unproven('option not honoured', 'settings')
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
    return {
      verdict: 'fail',
      what: error.message,
      expected: error.expected,
      got: error.got,
      ...foundAt(error),
      ...(isMistake(error.cause) && { byMistake: true as const }),
    }
  return {
    verdict: 'error',
    what: 'the check ran into an error that it did not ask for',
    expected: 'no error',
    got: describe(error),
    ...(error instanceof BrokenOff && foundAt(error)),
  }
}

/** What JavaScript throws at a mistake in a program, and no store on purpose. */
const mistakes = [TypeError, ReferenceError, SyntaxError, RangeError]
const isMistake = (error: unknown): boolean =>
  mistakes.some((mistake) => error instanceof mistake) ||
  (isStoreError(error) && error.code === 'internal' && isMistake(error.cause))

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

const strays = ['unhandledRejection', 'uncaughtException'] as const

/**
 * What nobody handled while the check ran: rejections, and exceptions out of the driver's own callbacks, which would have
 * ended the process. Nobody else hears of them meanwhile: they are this check's.
 */
function strayErrors(): { end(): Promise<Error | undefined> } {
  let first: Error | undefined
  const listens = strays.map((event) => {
    const others = process.rawListeners(event)
    const listen = (error: unknown) => {
      const text = event === 'uncaughtException' ? 'an exception that ends the process' : 'an unhandled rejection'
      first ??= new Error(`${text}: ${describe(error)}`, { cause: error })
    }
    process.removeAllListeners(event).on(event, listen)
    return { event, listen, others }
  })
  return {
    async end() {
      await new Promise((resolve) => setImmediate(resolve)) // Node reports them after the microtasks of this turn
      for (const { event, listen, others } of listens.splice(0)) {
        process.off(event, listen)
        for (const other of others) process.on(event, other as (error: unknown) => void) // they listened before
      }
      return first
    },
  }
}
