import { StoreError } from '@daybook/core'

/** One step of a script: a database call, made when the runner comes to it. */
type Step = () => unknown

/**
 * A unit of work: `yield*` its steps. Nothing but database steps is yielded, so that a synchronous driver can run the whole
 * of one without letting go of the thread, and an asynchronous one can await each step.
 */
export type Script<T> = Generator<Step, T, unknown>

/** A step whose answer has a type. The only place where an answer gets its type back. */
export function* step<T>(run: () => T | Promise<T>): Script<T> {
  return (yield run) as T // the runners send back what the step answered
}

export function runSync<T>(script: Script<T>): T {
  let next = script.next()
  while (!next.done) next = attempt(script, next.value)
  return next.value
}

/** `before` is asked before each step, so that a call that is over sends nothing more. */
export async function runAsync<T>(script: Script<T>, before: () => void = () => {}): Promise<T> {
  let next = script.next()
  let isOver = false
  while (!next.done) {
    let answer: unknown
    try {
      if (!isOver) before()
      answer = await stepOf(next.value)()
    } catch (error) {
      // What a script still does after that is to clean up.
      isOver = true
      next = script.throw(error)
      continue
    }
    next = script.next(answer)
  }
  return next.value
}

/** What is yielded has to be a step: `yield` where `yield*` was meant gives something else. */
function stepOf(yielded: unknown): Step {
  if (typeof yielded === 'function') return yielded as Step // called without arguments, whatever it is
  throw new StoreError(
    'invalid_argument',
    'a script yielded something that is no step; use yield* for the methods of the store',
    {
      field: 'body',
    },
  )
}

/** An error goes back into the script, where `catch` and `finally` see it. */
function attempt<T>(script: Script<T>, run: Step): IteratorResult<Step, T> {
  let answer: unknown
  try {
    answer = stepOf(run)()
  } catch (error) {
    return script.throw(error)
  }
  return script.next(answer)
}
