// The runs that are committed, in short: for the README, and for the folder that they are in.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { verdictsOf } from './goals.ts'
import { nameOf, yardstick, type Line, type Run } from './result.ts'

const order = ['pg', 'mariadb', 'mysql', 'sqlite']
const shown = /^W[12346]|^W[89]/

export const runsIn = (folder: string): readonly Run[] =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Run) // as it was written
    .toSorted((a, b) => rankOf(a) - rankOf(b))

const rankOf = ({ backend, part }: Run) => order.indexOf(backend) + (part === undefined ? 0 : order.length)

/** A table for the README: each cell how many times the limit's time, or which share of its operations. */
export function summaryOf(runs: readonly Run[]): string {
  if (runs.length === 0) return 'No run is committed yet.'
  const growing = runs.filter(({ part }) => part !== undefined)
  return [
    ...runs.filter(({ part }) => part === undefined).map(wholeSummary),
    ...(growing.length === 0 ? [] : [growthSummary(growing)]),
  ].join('\n\n')
}

function wholeSummary(run: Run): string {
  const { product, date, machine, load, backend } = run
  const names = [yardstick, ...columnsOf(run)]
  const ids = [...new Set(run.lines.map(({ workload }) => workload))].filter((id) => shown.test(id))
  const verdicts = verdictsOf(run)
  const met = verdicts.filter(({ isMet }) => isMet).length
  return [
    `**${product}** · ${date} · ${machine.cores} cores, Node ${machine.node}, load average ${load.before[0]} to ${load.after[0]} · ${met} of ${verdicts.length} [goals](bench/results/README.md#${backend}) met · [all numbers](bench/results/${backend}.md)`,
    '',
    `| | ${names.join(' | ')} |`,
    `|---|${names.map(() => '--:|').join('')}`,
    ...ids.map((id) => `| ${id} ${titleOf(run, id)} | ${names.map((name) => cellOf(run, id, name)).join(' | ')} |`),
    '',
    `![${product}: time of one call as a multiple of the limit's](bench/results/${backend}.svg)`,
  ].join('\n')
}

const kinds = [
  ['append', 'append'],
  ['load', 'load 50 events'],
  ['list', 'list 50 sessions'],
] as const

/** Milliseconds at each size, a row for each database and what is done on it. */
function growthSummary(runs: readonly Run[]): string {
  const sizes = [...new Set(runs.flatMap(({ settings }) => settings.growth))].toSorted((a, b) => a - b)
  const memories = Math.min(...runs.map(({ settings }) => settings.sizes.memories))
  const rows = runs.flatMap((run) =>
    kinds.flatMap(([kind, what]) =>
      ['daybook', 'adk']
        .filter((name) => run.contenders.some((contender) => contender.name === name))
        .map((name) => {
          const times = sizes.map((size) => lineOf(run, `W7-${kind}-${size.toLocaleString('en')}`, name)?.spread)
          const cells = times.map((spread) => (spread === undefined ? '–' : `${spread.p50.toFixed(2)} ms`))
          return `| [${run.product}](bench/results/${nameOf(run)}.md), ${name}: ${what} | ${cells.join(' | ')} |`
        }),
    ),
  )
  return [
    '**As history grows** (W7), in a database of so many events, and of so many sessions of one user:',
    '',
    `| | ${sizes.map((size) => size.toLocaleString('en')).join(' | ')} |`,
    `|---|${sizes.map(() => '--:|').join('')}`,
    ...rows,
    '',
    `To find the 20 best of ${memories.toLocaleString('en')} memories of one user (W8): ${runs.map(searched).join('; ')}.`,
  ].join('\n')
}

const searched = (run: Run) =>
  `${run.product} ${['daybook', 'limit', 'langgraph', 'langgraph-normal']
    .flatMap((name) => {
      const spread = lineOf(run, 'W8-search', name)?.spread
      return spread === undefined ? [] : [`${name} ${spread.p50.toFixed(2)} ms`]
    })
    .join(', ')}`

/** What is told of goals. */
export const goalsPage = (runs: readonly Run[]): string =>
  [
    '# Committed runs',
    '',
    'Written by `node tools/pnpm.mjs run bench`; [how to read them](../README.md). A goal is met or missed in the run that stands here, with its noise. [What was measured](../reasons.ts) to find out why a goal is missed stands beside it; those measurements are of one machine.',
    '',
    ...runs.flatMap((run) => [
      `## ${nameOf(run)}`,
      '',
      `[${run.product}](${nameOf(run)}.md), ${run.date}`,
      '',
      '| goal | measured | | why |',
      '|---|--:|---|---|',
      ...verdictsOf(run).map(
        ({ goal, measured, isMet, why = '' }) => `| ${goal} | ${measured} | ${isMet ? 'met' : '**missed**'} | ${why} |`,
      ),
      '',
    ]),
  ].join('\n')

const marks = ['<!-- bench: written by `pnpm bench` from bench/results -->', '<!-- /bench -->'] as const

export function withSummary(readme: string, summary: string): string {
  const [from, to] = marks.map((mark) => readme.indexOf(mark))
  if (from === undefined || to === undefined || from < 0 || to < from) throw new Error('the README has no place for it')
  return `${readme.slice(0, from + marks[0].length)}\n\n${summary}\n\n${readme.slice(to)}`
}

/** Ours on its default driver, and the others. */
const columnsOf = ({ contenders }: Run) =>
  contenders
    .map(({ name }) => name)
    .filter(
      (name) =>
        name === 'daybook' || name === 'daybook-adk' || /^(?:adk|drizzle|mastra(?!-message)|langgraph)/.test(name),
    )

const lineOf = ({ lines }: Run, id: string, name: string): Line | undefined =>
  lines.find(({ workload, contender }) => workload === id && contender === name)

const titleOf = (run: Run, id: string) => lineOf(run, id, yardstick)?.title ?? ''

function cellOf(run: Run, id: string, name: string): string {
  const line = lineOf(run, id, name)
  if (line?.spread === undefined) return '–'
  const isLimit = name === yardstick
  if (line.perSecond !== undefined) return isLimit ? `${line.perSecond.toFixed(0)}/s` : `${line.ratio?.toFixed(2)}`
  if (isLimit) return `${line.spread.p50.toFixed(2)} ms`
  const ratio = line.ratio?.toFixed(2) ?? ''
  return name === 'daybook' ? `**${ratio}×**` : `${ratio}×`
}
