import { parseArgs, type ParseArgsConfig } from 'node:util'

/** 0: certified, or done as asked. 1: a check failed. 2: incomplete or unproven. 3: the harness or the store could not start. */
export type ExitCode = 0 | 1 | 2 | 3

export interface Command {
  /** The line of the usage, after the name of the program. */
  readonly usage: string
  run(args: readonly string[]): Promise<ExitCode> | ExitCode
}

/** The command line asks for something that there is not: a sentence for who typed it, and no stack. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Arguments as Node reads them; what is wrong with them ends as a {@link UsageError}. */
export function parsed<T extends ParseArgsConfig>(config: T): ReturnType<typeof parseArgs<T>> {
  try {
    return parseArgs(config)
  } catch (error) {
    if (error instanceof TypeError && String(Reflect.get(error, 'code')).startsWith('ERR_PARSE_ARGS'))
      throw new UsageError(error.message)
    throw error
  }
}

/** Exactly one argument beside the options. */
export function onlyOne(positionals: readonly string[], what: string): string {
  const [first, ...rest] = positionals
  if (first === undefined) throw new UsageError(`${what} is missing`)
  if (rest.length > 0) throw new UsageError(`${what} is one, so not also ${rest.join(' ')}`)
  return first
}

export function oneOf<T extends string>(value: string, names: readonly T[], option: string): T {
  const found = names.find((name) => name === value)
  if (found === undefined) throw new UsageError(`--${option} is ${names.join(' or ')}, not ${value}`)
  return found
}

/** A whole number from 0, as seeds are. */
export function wholeNumber(value: string, option: string): number {
  const number = Number(value)
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(number))
    throw new UsageError(`--${option} is a whole number from 0, not ${value}`)
  return number
}
