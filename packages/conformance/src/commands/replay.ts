import { readReplay } from '../replay.ts'
import { runConformance } from '../run.ts'
import { loadSubject } from '../subject-file.ts'
import { suiteVersion } from '../suite-version.ts'
import { parsed, UsageError, type Command } from './command.ts'

/** Runs one check as it ran when it failed: same seed, same draws. 0: it passes now. 1: it fails still. */
export const replay: Command = {
  usage: 'replay <replay.json> [store.ts]',
  async run(args) {
    const { positionals } = parsed({ args: [...args], allowPositionals: true, options: {} })
    const [path, other, ...rest] = positionals
    if (path === undefined || rest.length > 0) throw new UsageError('replay takes a file, and perhaps another store')
    const found = await readReplay(path)
    if (found === undefined) throw new UsageError(`${path} is no replay file`)
    if (found.suite !== suiteVersion)
      console.info(`written by suite ${found.suite}; this is ${suiteVersion}, which may draw otherwise`)
    const { seed, budget, check, counterexample } = found
    const certificate = await runConformance(await loadSubject(other ?? found.store), {
      level: 'durable',
      only: [check],
      seed,
      budget,
      canaries: false,
      ...(counterexample !== undefined && { replay: counterexample }),
      log: console.info,
    })
    const verdict = certificate.checks.find(({ key }) => key === check)?.verdict
    console.info(`${check}: ${verdict ?? 'there is no such check in this suite'}`)
    if (verdict === undefined) return 3
    if (verdict === 'fail' || verdict === 'error') return 1
    return verdict === 'pass' || verdict === 'absent-verified' ? 0 : 2
  },
}
