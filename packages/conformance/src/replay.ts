import { readFile, mkdir, writeFile } from 'node:fs/promises'
import type { Certificate } from './certificate.ts'
import type { Counterexample } from './expect.ts'
import { suiteVersion } from './suite-version.ts'

/** One failing check, so that it runs again with the same draws. */
export interface Replay {
  readonly format: 'daybook-replay/1'
  readonly suite: string
  /** The file of the subject, from the folder in which the run was started. */
  readonly store: string
  readonly check: string
  readonly rule: string
  readonly budget: 'quick' | 'cert'
  readonly seed: number
  readonly counterexample?: Counterexample
  readonly what: string
  readonly expected: string
  readonly got: string
}

export const replaysOf = ({ checks, run, budget }: Certificate, store: string): Replay[] =>
  checks
    .filter(({ verdict }) => verdict === 'fail' || verdict === 'error')
    .map(({ key, rule, what = '', expected = '', got = '', counterexample }) => ({
      format: 'daybook-replay/1',
      suite: suiteVersion,
      store,
      check: key,
      rule,
      budget,
      seed: run.seed,
      ...(counterexample !== undefined && { counterexample }),
      what,
      expected,
      got,
    }))

/** Writes `replay-<check>.json` for each, and answers their paths. */
export async function writeReplays(replays: readonly Replay[], folder: string): Promise<string[]> {
  await mkdir(folder, { recursive: true })
  return Promise.all(
    replays.map(async (replay) => {
      const path = `${folder}/replay-${replay.check.replaceAll(/[^\w-]/g, '_')}.json`
      await writeFile(path, `${JSON.stringify(replay, undefined, 2)}\n`)
      return path
    }),
  )
}

/** `undefined` when the file is something else. */
export async function readReplay(path: string): Promise<Replay | undefined> {
  const found: unknown = JSON.parse(await readFile(path, 'utf8'))
  return isReplay(found) ? found : undefined
}

const isReplay = (found: unknown): found is Replay =>
  typeof found === 'object' &&
  found !== null &&
  Reflect.get(found, 'format') === 'daybook-replay/1' &&
  ['store', 'check'].every((name) => typeof Reflect.get(found, name) === 'string') &&
  Number.isSafeInteger(Reflect.get(found, 'seed')) &&
  ['quick', 'cert'].some((budget) => Reflect.get(found, 'budget') === budget)
