import type { Certificate } from './certificate.ts'
import { rulesOf, type RuleGroup } from './check.ts'
import { tally } from './verdict.ts'

/** One certificate of a matrix. */
export interface Column {
  /** What the backend is called where the certificates lie side by side. */
  readonly name: string
  readonly certificate: Certificate
  /** Where the certificate is, to be linked. */
  readonly href?: string
}

const cell = (text: string) => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const row = (cells: readonly string[]) => `| ${cells.map((text) => cell(text === '' ? '–' : text)).join(' | ')} |`

const title = ({ name, href }: Column) => (href === undefined ? name : `[${name}](${href})`)
const database = ({ certificate: { server } }: Column) => `${server.flavour} ${server.version.split(/[\s+-]/)[0] ?? ''}`
const driver = ({ certificate: { subject } }: Column) => subject.driver ?? 'none'
const level = ({ certificate }: Column) =>
  certificate.level === 'none' ? certificate.verdict : `**${certificate.level}**`

/** Mutants that the named check killed, of those that can be in such a store. */
function mutantsOf({ certificate: { mutants } }: Column): string {
  const count = (outcome: string) => mutants.filter((mutant) => mutant.outcome === outcome).length
  return `${count('killed')} of ${count('killed') + count('survived')}`
}

/** How a group of checks ended: what passed of what says something about this store. */
function groupCell({ certificate: { checks } }: Column, group: RuleGroup): string {
  const own = checks.filter(({ key }) => key.startsWith(`${group}-`))
  if (own.length === 0) return 'not planned'
  const count = (...verdicts: readonly string[]) => own.filter(({ verdict }) => verdicts.includes(verdict)).length
  const passed = count('pass', 'absent-verified')
  const applicable = own.length - count('inapplicable')
  if (applicable === 0) return 'n/a'
  const rest = [
    [count('fail', 'error'), 'failed'],
    [count('deviation'), 'known defect'],
    [count('unproven'), 'unproven'],
  ] as const
  const notes = rest.filter(([number]) => number > 0).map(([number, what]) => `${number} ${what}`)
  return [`${passed} of ${applicable}`, ...notes].join(', ')
}

/** Groups of checks × stores, as Markdown, of what the certificates hold. No cell is blank: what was not run says so. */
export function toMatrix(columns: readonly Column[]): string {
  const names = Object.keys(rulesOf) as RuleGroup[] // keys of a record
  const present = names.filter((group) =>
    columns.some(({ certificate }) => certificate.checks.some(({ key }) => key.startsWith(`${group}-`))),
  )
  const line = (name: string, of: (column: Column) => string) => row([name, ...columns.map((column) => of(column))])
  return [
    row(['', ...columns.map((column) => title(column))]).replace('| – |', '| |'),
    row(['---', ...columns.map(() => '---')]),
    line('database', database),
    line('driver', driver),
    line('level', level),
    line('plan', ({ certificate }) => certificate.planHash.slice(0, 8)),
    line('checks', ({ certificate }) => tally(certificate.counts)),
    line('mutants killed', mutantsOf),
    ...present.map((group) => line(group, (column) => groupCell(column, group))),
    '',
  ].join('\n')
}

/** One line for each store, as Markdown: for a README. */
export const toShortMatrix = (columns: readonly Column[]): string =>
  [
    row(['backend', 'database', 'driver', 'level reached', 'checks', 'mutants killed']),
    row(Array.from({ length: 6 }, () => '---')),
    ...columns.map((column) =>
      row([
        title(column),
        database(column),
        driver(column),
        level(column),
        tally(column.certificate.counts),
        mutantsOf(column),
      ]),
    ),
    '',
  ].join('\n')
