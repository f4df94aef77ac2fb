import type { CheckId } from './check.ts'

/** Why a rule of the contract has no check yet. A rule that is neither here nor among the checks fails META-06. */
export type Reason =
  | 'belongs to the dialect: its own tests hold it'
  | 'held by the release gate: it installs the packed tarball and runs it'
  | 'held in every other check, by nothingWritten'
  | 'held by the codes that every other check names'

export const later: Readonly<Partial<Record<CheckId, Reason>>> = {
  'LIM-10': 'held in every other check, by nothingWritten',
  'ERR-05': 'belongs to the dialect: its own tests hold it',
  'ERR-11': 'held by the codes that every other check names',
  'META-07': 'held by the release gate: it installs the packed tarball and runs it',
  'MIG-10': 'belongs to the dialect: its own tests hold it',
}
