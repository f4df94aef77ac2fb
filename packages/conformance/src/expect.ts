import { inspect, isDeepStrictEqual } from 'node:util'
import { isStoreError, type ErrorCode, type ErrorFacts, type StoreError } from '@daybook/core'

const shown = (value: unknown) => {
  const text = inspect(value, { depth: 8, breakLength: 100, maxArrayLength: 20, maxStringLength: 300 })
  return text.length > 1500 ? `${text.slice(0, 1500)} …` : text
}

/** Where fast-check found it: the shrunk commands come again from these. */
export interface Counterexample {
  readonly seed: number
  readonly path: string
  /** Which of the commands ran, where the example is a list of commands. */
  readonly replayPath?: string
}

/** The store did not keep a promise: the one outcome that counts as `fail`. */
export class CheckFailure extends Error {
  override readonly name = 'CheckFailure'
  readonly expected: string
  readonly got: string
  /** What a check drew at random, so that it can be drawn again. */
  readonly counterexample: Counterexample | undefined

  constructor(
    what: string,
    expected: unknown,
    got: unknown,
    { counterexample, cause }: { counterexample?: Counterexample | undefined; cause?: unknown } = {},
  ) {
    super(what, { cause })
    this.counterexample = counterexample
    this.expected = typeof expected === 'string' ? expected : shown(expected)
    this.got = typeof got === 'string' ? got : shown(got)
  }
}

const unprovenReasons = [
  'no worker',
  'no oracle',
  'no transaction hook',
  'no endpoint',
  'no wire',
  'no server of its own',
  'no storage hook',
  'no refusal hook',
  'no absent database',
  'race canary survived',
  'no check yet',
  'host cannot show it',
  'no lock hook',
  'option not honoured',
  'fact not observed',
  'no older schema',
] as const
export type UnprovenReason = (typeof unprovenReasons)[number]

/** Nothing was found out, for a reason of the closed list. */
export class Unproven extends Error {
  override readonly name = 'Unproven'
  readonly reason: UnprovenReason

  constructor(reason: UnprovenReason, detail = '') {
    super(detail === '' ? reason : `${reason}: ${detail}`)
    this.reason = reason
  }
}

/** Why a rule says nothing about a store, each with what has to be seen or declared for it. */
const inapplicableReasons = [
  'the database has no roles',
  'the store has no schema',
  'only a store can hold a lock',
  'no network in between',
  'no disk within reach',
  'the database refuses nothing by itself',
  'the application opens the database',
  'data end with the process',
  'writers take turns',
  'the store removes all at once',
  'the ability has no method here',
  'a fact that is no, and nothing to see it by',
] as const
export type InapplicableReason = (typeof inapplicableReasons)[number]

/** The rule says nothing about this store. It counts neither as kept nor as open, and the certificate lists it. */
export class Inapplicable extends Error {
  override readonly name = 'Inapplicable'
  readonly reason: InapplicableReason

  constructor(reason: InapplicableReason) {
    super(reason)
    this.reason = reason
  }
}

export function equal(got: unknown, expected: unknown, what: string): void {
  if (!isDeepStrictEqual(got, expected)) throw new CheckFailure(what, shown(expected), shown(got))
}

export function holds(condition: boolean, what: string, got: unknown = 'it does not hold'): asserts condition {
  if (!condition) throw new CheckFailure(what, what, got)
}

export function present<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new CheckFailure(what, 'a value', value)
  return value
}

/** What became of a call that should fail; a synchronous throw is a failure of its own (ERR-08). */
async function failureOf(call: () => Promise<unknown>, expected: string, what: string): Promise<unknown> {
  let promise: Promise<unknown>
  try {
    promise = call()
  } catch (error) {
    throw new CheckFailure(`${what}: rejects, and never throws synchronously`, expected, error, { cause: error })
  }
  let answer: unknown
  try {
    answer = await promise
  } catch (error) {
    return error
  }
  throw new CheckFailure(what, expected, answer === undefined ? 'it resolved' : `it resolved to ${shown(answer)}`)
}

/** The call rejects with a `StoreError` of this code (or one of these) and these facts. */
export async function rejects(
  call: () => Promise<unknown>,
  code: ErrorCode | readonly ErrorCode[],
  what: string,
  facts: Partial<ErrorFacts> = {},
): Promise<StoreError> {
  const codes: readonly string[] = typeof code === 'string' ? [code] : code
  const expected = `StoreError ${codes.join(' or ')} ${Object.keys(facts).length > 0 ? shown(facts) : ''}`
  const error = await failureOf(call, expected, what)
  if (!isStoreError(error) || !codes.includes(error.code))
    throw new CheckFailure(what, expected, describe(error), { cause: error })
  const given: Readonly<Record<string, unknown>> = { ...error.facts }
  for (const [name, value] of Object.entries(facts)) {
    if (!isDeepStrictEqual(given[name], value))
      throw new CheckFailure(
        `${what}: ${name} of the error`,
        shown(value),
        `${shown(given[name])} in ${describe(error)}`,
      )
  }
  return error
}

/** The call succeeds: where a rejection is itself what the check is about. */
export async function succeeds<T>(call: Promise<T>, what: string): Promise<T> {
  try {
    return await call
  } catch (error) {
    throw new CheckFailure(what, 'it succeeds', describe(error), { cause: error })
  }
}

export const describe = (error: unknown): string => {
  if (!isStoreError(error)) return error instanceof Error ? (error.stack ?? String(error)) : shown(error)
  const cause =
    error.cause instanceof Error ? ` (cause: ${error.cause.name}: ${error.cause.message.slice(0, 200)})` : ''
  return `StoreError ${error.code}: ${error.message} ${shown(error.facts)}${cause}`
}

/** The promise settles within so many milliseconds. */
export async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new CheckFailure(what, `settles within ${ms} ms`, 'still pending')), ms)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}
