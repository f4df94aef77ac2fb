// pnpm bench [--backend pg] [--contenders daybook,limit] [--workloads W1,W2] [--quick | --tiny] [--growth] [--largest EVENTS] [--out FOLDER]
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { backendNames } from './backends.ts'
import { chartOf } from './chart.ts'
import { pageOf } from './report.ts'
import { nameOf, yardstick, type Run } from './result.ts'
import { full, quick, run, tiny } from './run.ts'
import { goalsPage, runsIn, summaryOf, withSummary } from './summary.ts'

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
    contenders: { type: 'string' },
    workloads: { type: 'string' },
    quick: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
    /** Only what is much: W7 up to the largest database, and W8 among 100,000 memories. */
    growth: { type: 'boolean', default: false },
    /** Events of the largest database of W7. */
    largest: { type: 'string', default: '1000000' },
    /** Default: only a whole run is written, to bench/results. */
    out: { type: 'string' },
  },
})

const named = (list: string | undefined) => list?.split(',').map((name) => name.trim())
const [contenders, chosen] = [named(values.contenders), values.growth ? ['W7', 'W8'] : named(values.workloads)]
const chosenSettings = values.tiny ? tiny : values.quick ? quick : full
const { growth: sizesOfGrowth } = values.growth && !values.tiny ? full : chosenSettings
const growth = sizesOfGrowth.filter((events) => events <= Number(values.largest))
const settings = {
  ...chosenSettings,
  growth,
  ...(values.growth && { sizes: { ...tiny.sizes, memories: chosenSettings.sizes.memories } }),
}
const isWhole = contenders === undefined && values.workloads === undefined && chosenSettings === full
/** A million events of each take their time and their room: those that say something of growth, on one driver. */
const growing = new Set([yardstick, 'daybook', 'adk', 'langgraph', 'langgraph-normal'])

/** `daybook` means each driver that it runs on, and `limit` each that has one. */
const takesPart = (one: string) =>
  contenders === undefined
    ? !values.growth || growing.has(one)
    : one === yardstick ||
      contenders.some((prefix) => one === prefix || (!values.growth && one.startsWith(`${prefix}-`)))
const results = join(import.meta.dirname, 'results')
const folder = values.out === undefined ? (isWhole ? results : undefined) : resolve(values.out)

for (const name of named(values.backend) ?? backendNames) {
  const backend = backendNames.find((one) => one === name)
  if (backend === undefined) throw new Error(`--backend is one of ${backendNames.join(', ')}`)
  const measured = await run(backend, settings, {
    contender: takesPart,
    workload: (id) => chosen === undefined || chosen.some((prefix) => id.startsWith(prefix)),
    log: (line) => console.error(line),
  })
  const result: Run = { ...measured, ...(values.growth && { part: 'growth' }) }
  const page = pageOf(result)
  console.info(page)
  if (folder === undefined) continue
  await mkdir(folder, { recursive: true })
  const file = join(folder, nameOf(result))
  await writeFile(`${file}.md`, page)
  if (result.part === undefined) await writeFile(`${file}.svg`, chartOf(result))
  await writeFile(`${file}.json`, `${JSON.stringify(result, undefined, 2)}\n`)
}

if (folder === results) {
  const runs = runsIn(results)
  await writeFile(join(results, 'README.md'), goalsPage(runs))
  const readme = join(import.meta.dirname, '../README.md')
  await writeFile(readme, withSummary(await readFile(readme, 'utf8'), summaryOf(runs)))
}
