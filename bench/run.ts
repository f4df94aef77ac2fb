// One run: the contenders of one backend through all workloads.
import { contendersOf, openBackend, type Backend, type BackendName } from './backends.ts'
import type { Contender, Entry } from './contender.ts'
import { createData } from './data.ts'
import { eventsOfEach, grow, grows, sow } from './growth.ts'
import { load, thisMachine, versions } from './machine.ts'
import { takeBlocks, takeTurns, type Measured } from './procedure.ts'
import { seed, seedMemories } from './seed.ts'
import { told, yardstick, type Line, type Run, type Settings, type Verdict } from './result.ts'
import { smoke } from './smoke.ts'
import { median, spreadOf } from './statistics.ts'
import * as workloads from './workloads/index.ts'
import type { Concurrent, Sequential } from './workloads/workload.ts'

export const full: Settings = {
  seed: 20_260_101,
  turns: { warmUps: 3, budget: 12_000 },
  share: 1,
  blocks: { blocks: 3, length: 1500, warmUp: 300 },
  sizes: { listed: 5000, long: 500, sessions: 64, eventsEach: 20, memories: 100_000 },
  growth: [1000, 10_000, 100_000, 1_000_000],
}

/** Nothing of it is a measurement: it shows that everything runs. */
export const tiny: Settings = {
  ...full,
  turns: { warmUps: 1, budget: 500 },
  share: 0.1,
  blocks: { blocks: 1, length: 200, warmUp: 50 },
  sizes: { listed: 60, long: 60, sessions: 64, eventsEach: 1, memories: 500 },
  growth: [1000],
}

export const quick: Settings = {
  ...full,
  turns: { warmUps: 2, budget: 4000 },
  share: 0.25,
  blocks: { blocks: 1, length: 1000, warmUp: 200 },
  sizes: { ...full.sizes, memories: 10_000 },
  growth: [1000, 10_000],
}

interface Ready {
  readonly entry: Entry
  readonly contender: Contender
  readonly verdict: Verdict
}

export interface Wanted {
  /** Whether a contender of this name takes part. */
  readonly contender: (name: string) => boolean
  readonly workload: (id: string) => boolean
  readonly log: (line: string) => void
}

export async function run(backendName: BackendName, settings: Settings, wanted: Wanted): Promise<Run> {
  const entries = (await contendersOf[backendName]()).filter(({ name }) => wanted.contender(name))
  const before = load()
  const backend = await openBackend[backendName]()
  wanted.log(`${backend.product}: ${entries.map(({ name }) => name).join(', ')}`)
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.once(signal, () => void backend.close().finally(() => process.exit(1)))
  const ready: Ready[] = []
  const leftOut: { contender: string; why: string }[] = []
  try {
    for (const entry of entries) {
      let contender: Contender | undefined
      try {
        contender = await entry.open(await backend.place(entry.name))
        const verdict = await smoke(contender, entry, settings.seed)
        wanted.log(`${entry.name}: ${told(verdict)}`)
        await seed(contender, settings.sizes, settings.seed)
        await analyze(contender, backend)
        ready.push({ entry, contender, verdict })
      } catch (error) {
        await contender?.close()
        const why = reasonOf(error)
        wanted.log(`${entry.name} is left out: ${why}`)
        leftOut.push({ contender: entry.name, why })
      }
    }
    const lines = await measure(ready, settings, wanted)
    const whole = entries.filter(({ name }) => ready.some(({ entry }) => entry.name === name))
    try {
      lines.push(...(await measureGrowth(backend, whole, settings, wanted)))
    } catch (error) {
      // What was measured before is not thrown away for it.
      const why = reasonOf(error)
      wanted.log(`the growing databases failed: ${why}`)
      leftOut.push({ contender: 'W7 and W10', why })
    }
    return {
      date: new Date().toISOString().slice(0, 10),
      backend: backendName,
      product: backend.product,
      durability: backend.durability,
      machine: thisMachine(),
      load: { before, after: load() },
      versions: versions(),
      settings,
      contenders: ready.map(({ entry: { name, driver, lacks }, verdict }) => ({
        name,
        driver,
        ...(lacks !== undefined && { lacks }),
        verdict,
      })),
      leftOut,
      lines,
    }
  } finally {
    for (const { contender } of ready) await contender.close()
    await backend.close()
  }
}

const analyze = async ({ sql }: Contender, backend: Backend) => sql?.run(backend.analyze[sql.tables])

async function measure(ready: readonly Ready[], settings: Settings, wanted: Wanted): Promise<Line[]> {
  const lines: Line[] = []
  const { create, append, load: loading, listWithState, listBare, manySessions, oneSession } = workloads
  for (const workload of [create, append, loading, listWithState, listBare])
    lines.push(...(await inTurns(workload, ready, settings, wanted)))
  const twoWarmUps = { ...settings, turns: { ...settings.turns, warmUps: Math.min(2, settings.turns.warmUps) } }
  lines.push(...(await inTurns(workloads.recordMetrics, ready, twoWarmUps, wanted)))
  for (const workload of [manySessions, oneSession]) lines.push(...(await atOnce(workload, ready, settings, wanted)))
  for (const workload of [workloads.saveArtifact, workloads.loadArtifact])
    lines.push(...(await inTurns(workload, ready, settings, wanted)))
  const onMemories = [workloads.addMemories, workloads.searchMemories(settings.sizes.memories)]
  if (onMemories.some(({ id }) => wanted.workload(id)))
    for (const { entry, contender } of ready) {
      wanted.log(`${entry.name} remembers ${settings.sizes.memories}`)
      await seedMemories(contender, settings.sizes.memories, settings.seed)
    }
  for (const workload of onMemories) lines.push(...(await inTurns(workload, ready, settings, wanted)))
  return lines.map((line) => withRatios(line, lines))
}

async function inTurns(
  workload: Sequential,
  ready: readonly Ready[],
  settings: Settings,
  wanted: Wanted,
): Promise<readonly Line[]> {
  if (!wanted.workload(workload.id)) return []
  wanted.log(`${workload.id} ${workload.title}`)
  const runners = []
  for (const { entry, contender } of ready) {
    const prepare = await workload.begin(contender, createData(settings.seed + 1))
    if (prepare !== undefined) runners.push({ name: entry.name, prepare })
  }
  const { chunk } = workload
  const rounds = Math.max(5, Math.round(workload.rounds * settings.share))
  const measured = await takeTurns(runners, { ...settings.turns, rounds, chunk })
  const taking = workload.isForSome === true ? ready.filter(({ entry }) => measured.has(entry.name)) : ready
  return taking.map(({ entry }) => lineOf(workload, entry.name, measured.get(entry.name)))
}

async function atOnce(
  workload: Concurrent,
  ready: readonly Ready[],
  settings: Settings,
  wanted: Wanted,
): Promise<readonly Line[]> {
  if (!wanted.workload(workload.id)) return []
  wanted.log(`${workload.id} ${workload.title}`)
  const crowds = []
  for (const { entry, contender } of ready) {
    const data = createData(settings.seed + 2)
    const { prepares, lost } = await workload.begin(contender, data, workload.workers)
    crowds.push({ name: entry.name, workers: prepares, lost })
  }
  const measured = await takeBlocks(crowds, settings.blocks)
  const lines: Line[] = []
  for (const { name, lost } of crowds) {
    const one = measured.get(name)
    const line = lineOf(workload, name, one)
    lines.push({ ...line, ...(one !== undefined && { perSecond: median(one.rates), lost: await lost() }) })
  }
  return lines
}

/** On databases that grow, so on other ones than the rest. */
async function measureGrowth(
  backend: Backend,
  entries: readonly Entry[],
  settings: Settings,
  wanted: Wanted,
): Promise<Line[]> {
  const [{ grown, long }, lines] = [workloads, [] as Line[]]
  const steps = settings.growth.map((events) => ({
    events,
    workloads: grown(events / eventsOfEach, events.toLocaleString('en')).filter(({ id }) => wanted.workload(id)),
  }))
  const onLong = long.filter(({ id }) => wanted.workload(id))
  if (onLong.length === 0 && steps.every((step) => step.workloads.length === 0)) return lines
  const ready: Ready[] = []
  try {
    for (const entry of entries) {
      const contender = await entry.open(await backend.place(`${entry.name}-grown`))
      if (!grows(contender)) {
        await contender.close()
        continue
      }
      ready.push({ entry, contender, verdict: { faults: [] } })
      await sow(contender, settings.seed)
    }
    const growing = { ...settings, turns: { ...settings.turns, budget: settings.turns.budget / 2 } }
    for (const workload of onLong) lines.push(...(await inTurns(workload, ready, growing, wanted)))
    let from = 0
    for (const step of steps) {
      if (step.workloads.length === 0) continue
      for (const { entry, contender } of ready) {
        wanted.log(`${entry.name} grows to ${step.events} events`)
        await grow(contender, from, step.events)
        await analyze(contender, backend)
      }
      from = step.events
      for (const workload of step.workloads) lines.push(...(await inTurns(workload, ready, growing, wanted)))
    }
    return lines.map((line) => withRatios(line, lines))
  } finally {
    for (const { contender } of ready) await contender.close()
  }
}

const lineOf = (
  { id, title }: { readonly id: string; readonly title: string },
  contender: string,
  measured: Measured | undefined,
): Line => ({
  workload: id,
  title,
  contender,
  errors: measured?.errors ?? 0,
  ...(measured === undefined && { without: 'has no such operation' }),
  ...(measured !== undefined && measured.samples.length > 0 && { spread: spreadOf(measured.samples) }),
  ...(measured?.error !== undefined && { error: measured.error }),
})

function withRatios(line: Line, lines: readonly Line[]): Line {
  const limit = lines.find(({ workload, contender }) => workload === line.workload && contender === yardstick)
  if (limit?.spread === undefined || line.spread === undefined) return line
  if (line.perSecond !== undefined && limit.perSecond !== undefined)
    return { ...line, ratio: line.perSecond / limit.perSecond }
  return { ...line, ratio: line.spread.p50 / limit.spread.p50, ratioP10: line.spread.p10 / limit.spread.p10 }
}

/** Without the documents that some libraries put into their messages. */
const reasonOf = (error: unknown): string => {
  const reason = error instanceof Error ? error.message : String(error)
  return reason.length > 160 ? `${reason.slice(0, 160)} …` : reason
}
