import { abilities, isStoreError, type Ability, type Fact } from '@daybook/core'
import { isRefused } from './absence.ts'
import type { Check } from './check.ts'
import { BrokenOff } from './model.ts'
import { createContext, type ContextOptions, type Ctx, type Stage } from './context.ts'
import { CheckFailure, describe, Inapplicable, Unproven } from './expect.ts'
import { reasonWithout } from './facts.ts'
import { hearStrays, type Stray } from './strays.ts'
import type { Result } from './verdict.ts'

/** Runs one check on a stage: the verdict by the truth table, never an exception. */
export async function runCheck(check: Check, stage: Stage, options: ContextOptions): Promise<Result> {
  const context = createContext(check, stage, options)
  const { ctx } = context
  const started = performance.now()
  const since = () => Math.round(performance.now() - started)
  const stray = hearStrays(options.app)
  try {
    const verdict = await perform(check, ctx)
    const left = await stray.end()
    if (left !== undefined) throw unhandledError(left)
    return { key: check.key, verdict, ms: since() }
  } catch (error) {
    const left = await stray.end()
    // An exception out of nowhere is why the check ran out of its time, or saw what it did not expect.
    const shown = left === undefined || error instanceof CheckFailure ? error : unhandledError(left)
    return { key: check.key, ms: since(), ...verdictOf(shown) }
  } finally {
    await context.end()
  }
}

const unhandled = 'no rejection and no exception is left unhandled'

/** Of several that ran at once nobody can say whose it was: that is no assertion of any of them. */
const unhandledError = ({ error, during }: Stray) =>
  during.length === 1
    ? new CheckFailure(unhandled, 'none', error.message, { cause: error.cause })
    : new Unattributed(`${error.message}, while these ran: ${during.join(', ')}`)

class Unattributed extends Error {}

/** Whether a result is about one of several checks that ran at once, nobody knows which. */
export const isUnattributed = ({ verdict, what }: Result): boolean => verdict === 'error' && what === unhandled

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
  if (error instanceof Unattributed) return { verdict: 'error', what: unhandled, expected: 'none', got: error.message }
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
