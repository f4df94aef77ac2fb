// pnpm bench [--backend pg] [--contenders daybook,limit] [--workloads W1,W2] [--quick | --tiny] [--largest EVENTS] [--out FOLDER]
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { backendNames } from './backends.ts'
import { chartOf } from './chart.ts'
import { pageOf } from './report.ts'
import { yardstick } from './result.ts'
import { full, quick, run, tiny } from './run.ts'
import { goalsPage, runsIn, summaryOf, withSummary } from './summary.ts'

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
    contenders: { type: 'string' },
    workloads: { type: 'string' },
    quick: { type: 'boolean', default: false },
    tiny: { type: 'boolean', default: false },
    /** Events of the largest database of W7. */
    largest: { type: 'string', default: '1000000' },
    /** Default: only a whole run is written, to bench/results. */
    out: { type: 'string' },
  },
})

const named = (list: string | undefined) => list?.split(',').map((name) => name.trim())
const [contenders, chosen] = [named(values.contenders), named(values.workloads)]
const chosenSettings = values.tiny ? tiny : values.quick ? quick : full
const growth = chosenSettings.growth.filter((events) => events <= Number(values.largest))
const settings = { ...chosenSettings, growth }
const isWhole = contenders === undefined && chosen === undefined && chosenSettings === full
const results = join(import.meta.dirname, 'results')
const folder = values.out ?? (isWhole ? results : undefined)

for (const name of named(values.backend) ?? backendNames) {
  const backend = backendNames.find((one) => one === name)
  if (backend === undefined) throw new Error(`--backend is one of ${backendNames.join(', ')}`)
  const result = await run(backend, settings, {
    // `daybook` means each driver that it runs on, and `limit` each that has one.
    contender: (one) =>
      contenders === undefined ||
      one === yardstick ||
      contenders.some((prefix) => one === prefix || one.startsWith(`${prefix}-`)),
    workload: (id) => chosen === undefined || chosen.some((prefix) => id.startsWith(prefix)),
    log: (line) => console.error(line),
  })
  const page = pageOf(result)
  console.info(page)
  if (folder === undefined) continue
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, `${backend}.md`), page)
  await writeFile(join(folder, `${backend}.svg`), chartOf(result))
  await writeFile(join(folder, `${backend}.json`), `${JSON.stringify(result, undefined, 2)}\n`)
}

if (folder === results) {
  const runs = runsIn(results)
  await writeFile(join(results, 'README.md'), goalsPage(runs))
  const readme = join(import.meta.dirname, '../README.md')
  await writeFile(readme, withSummary(await readFile(readme, 'utf8'), summaryOf(runs)))
}
