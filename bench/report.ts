import { told, yardstick, type Line, type Run } from './result.ts'

/** A run as a page. */
export function pageOf(run: Run): string {
  const { product, date, machine, load, durability, versions, leftOut, contenders } = run
  const ids = [...new Set(run.lines.map(({ workload }) => workload))]
  return [
    `# ${product}`,
    '',
    `${date} · ${machine.processor}, ${machine.cores} cores, ${machine.memoryGib} GiB · Node ${machine.node} · load average ${load.before.join(' ')} before, ${load.after.join(' ')} after · seed ${run.settings.seed}`,
    '',
    `Durability: ${Object.entries(durability)
      .map(([name, value]) => `${name} ${value}`)
      .join(', ')}.`,
    '',
    'A ratio compares the median with that of `limit`, in turns of one run. Under 1 is faster than the limit; where many work at once it is a share of its operations per second, and over 1 is more.',
    '',
    ...ids.flatMap((id) => tableOf(run.lines.filter(({ workload }) => workload === id))),
    '## Answers',
    '',
    '| contender | driver | checked before | does less |',
    '|---|---|---|---|',
    ...contenders.map(
      ({ name, driver, lacks, verdict }) =>
        `| ${name} | ${driver} | ${verdict === undefined ? '' : told(verdict) || 'in order'} | ${lacks ?? ''} |`,
    ),
    ...leftOut.map(({ contender, why }) => `| ${contender} | | left out: ${why.replaceAll(/\s*[\n|]\s*/g, ' ')} | |`),
    '',
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.`,
    '',
  ].join('\n')
}

function tableOf(lines: readonly Line[]): string[] {
  const [first] = lines
  if (first === undefined) return []
  const isRate = lines.some(({ perSecond }) => perSecond !== undefined)
  const heads = [
    'contender',
    ...(isRate ? ['per second', `of ${yardstick}`] : [`to ${yardstick}`, 'p10 ratio', 'p10 ms']),
    'p50 ms',
    ...(isRate ? [] : ['p90 ms']),
    'p99 ms',
    'n',
    'errors',
    ...(isRate ? ['lost'] : []),
  ]
  return [
    `## ${first.workload} ${first.title}`,
    '',
    `| ${heads.join(' | ')} |`,
    `|---|${heads
      .slice(1)
      .map(() => '--:|')
      .join('')}`,
    ...lines.map((line) => `| ${cellsOf(line, isRate).join(' | ')} |`),
    '',
    ...lines.flatMap(({ contender, error }) => (error === undefined ? [] : [`${contender}: ${error}`, ''])),
  ]
}

function cellsOf(line: Line, isRate: boolean): string[] {
  const { contender, spread, without, perSecond, ratio, ratioP10, errors, lost } = line
  if (spread === undefined) return [contender, without ?? 'failed']
  return [
    contender,
    ...(isRate
      ? [perSecond?.toFixed(0) ?? '', `**${times(ratio)}**`]
      : [`**${times(ratio)}**`, times(ratioP10), ms(spread.p10)]),
    ms(spread.p50),
    ...(isRate ? [] : [ms(spread.p90)]),
    ms(spread.p99),
    String(spread.n),
    String(errors),
    ...(isRate ? [lost === undefined ? '' : String(lost)] : []),
  ]
}

const ms = (value: number) => value.toFixed(value < 10 ? 2 : 1)
const times = (value: number | undefined) => value?.toFixed(2) ?? ''
