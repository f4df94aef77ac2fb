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
  while (!next.done) {
    let answer: unknown
    try {
      before()
      answer = await next.value()
    } catch (error) {
      next = script.throw(error)
      continue
    }
    next = script.next(answer)
  }
  return next.value
}

/** An error goes back into the script, where `catch` and `finally` see it. */
function attempt<T>(script: Script<T>, run: Step): IteratorResult<Step, T> {
  let answer: unknown
  try {
    answer = run()
  } catch (error) {
    return script.throw(error)
  }
  return script.next(answer)
}
