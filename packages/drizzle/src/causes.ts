import type { ErrorKind, Failure } from './dialect.ts'

const depth = 8

/** An error and its causes, outermost first: Drizzle and the drivers wrap. A host name may have been tried at several addresses. */
export function* causesOf(error: unknown): Generator<Error> {
  let cause = error
  for (let level = 0; cause instanceof Error && level < depth; level++) {
    yield cause
    cause = cause instanceof AggregateError ? cause.errors[0] : cause.cause
  }
}

type Code = string | number

/**
 * What a driver's error is: the first of its codes, outermost first, that the dialect's table knows.
 *
 * @param codesOf the codes that one error of the driver carries
 * @param kindOf the table
 */
export function failureByCode(
  error: unknown,
  codesOf: (error: Error) => readonly Code[],
  kindOf: (code: Code, error: Error) => ErrorKind | undefined,
): Failure {
  let unknown: Code | undefined
  for (const cause of causesOf(error)) {
    for (const driverCode of codesOf(cause)) {
      const kind = kindOf(driverCode, cause)
      if (kind !== undefined) return { kind, driverCode }
      unknown ??= driverCode
    }
  }
  return { kind: 'internal', isUnknown: true, ...(unknown !== undefined && { driverCode: unknown }) }
}
