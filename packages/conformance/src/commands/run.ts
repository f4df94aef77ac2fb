import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { exitCode } from '../certificate.ts'
import { summary, writeReport } from '../certificate-files.ts'
import { levels } from '../check.ts'
import { createPlan } from '../plan.ts'
import { replaysOf, writeReplays } from '../replay.ts'
import { runConformance } from '../run.ts'
import { loadSubject } from '../subject-file.ts'
import { oneOf, onlyOne, parsed, UsageError, wholeNumber, type Command } from './command.ts'

const options = {
  level: { type: 'string', default: 'concurrent' },
  budget: { type: 'string', default: 'quick' },
  prove: { type: 'boolean', default: false },
  seed: { type: 'string' },
  only: { type: 'string', multiple: true },
  out: { type: 'string' },
  lanes: { type: 'string' },
  slowest: { type: 'string' },
} as const

export const run: Command = {
  usage: `run <store.ts> [--level ${levels.join('|')}] [--budget quick|cert] [--prove] [--seed n] [--only 'EVT-*'] [--out dir] [--lanes n] [--slowest n]`,
  async run(args) {
    const { values, positionals } = parsed({ args: [...args], allowPositionals: true, options })
    const store = onlyOne(positionals, 'the file of the store')
    const level = oneOf(values.level, levels, 'level')
    const budget = oneOf(values.budget, ['quick', 'cert'], 'budget')
    const seed = values.seed === undefined ? undefined : wholeNumber(values.seed, 'seed')
    const only = values.only?.flatMap((list) => list.split(',')) ?? []
    const stray = only.find((pattern) => createPlan(level, [pattern]).checks.length === 0)
    if (stray !== undefined) throw new UsageError(`no check of level ${level} is ${stray}`)
    const certificate = await runConformance(await loadSubject(store), {
      level,
      budget,
      prove: values.prove,
      only,
      ...(seed !== undefined && { seed }),
      ...(values.lanes !== undefined && { lanes: wholeNumber(values.lanes, 'lanes') }),
      ...(values.slowest !== undefined && { slowest: wholeNumber(values.slowest, 'slowest') }),
      log: console.info,
    })
    if (values.out !== undefined) await writeReport(certificate, pathToFileURL(`${resolve(values.out)}/`))
    const replays = replaysOf(certificate, store)
    if (replays.length > 0) {
      const folder = values.out ?? (await mkdtemp(join(tmpdir(), 'daybook-conformance-')))
      for (const path of await writeReplays(replays, folder)) console.info(`again: daybook-conformance replay ${path}`)
    }
    for (const line of summary(certificate)) console.info(line)
    return exitCode(certificate)
  },
}
