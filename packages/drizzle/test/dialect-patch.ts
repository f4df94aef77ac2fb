import type { Dialect } from '@daybook/drizzle'

/** A dialect with something changed: an older version of a store, or one with a bug. */
export type DialectPatch = (dialect: Dialect) => Dialect

/** The dialect of an older version, which knows only so many of the migrations. */
export const knowing =
  (count: number): DialectPatch =>
  (dialect) => ({ ...dialect, migrations: dialect.migrations.slice(0, count) })

export const together =
  (...patches: readonly DialectPatch[]): DialectPatch =>
  (dialect) =>
    patches.reduce((patched, patch) => patch(patched), dialect)
