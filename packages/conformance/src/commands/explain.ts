import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { levelOf, rulesOf, type Check, type RuleGroup } from '../check.ts'
import { later } from '../later.ts'
import { mutants } from '../mutants/index.ts'
import { createPlan } from '../plan.ts'
import { why } from '../why.ts'
import { onlyOne, parsed, UsageError, type Command, type ExitCode } from './command.ts'

/** The rule, why it is one, which broken stores it is known to catch, and how to look. */
export const explain: Command = {
  usage: 'explain <check>',
  async run(args): Promise<ExitCode> {
    const { positionals } = parsed({ args: [...args], allowPositionals: true, options: {} })
    const name = onlyOne(positionals, 'check')
    const found = createPlan('durable').checks.filter(({ id, key }) => id === name || key === name)
    for (const check of found) for (const line of await linesOf(check)) console.info(line)
    if (found.length > 0) return 0
    const reason = Object.entries(later).find(([id]) => id === name)?.[1]
    if (reason === undefined) throw new UsageError(`there is no check ${name}; list names them all`)
    console.info(`${name} is a rule of the contract that has no check yet: ${reason}`)
    return 0
  },
}

async function linesOf(check: Check): Promise<string[]> {
  const { id, key, rule, needs, capability } = check
  const killed = mutants.filter((mutant) => mutant.check === key)
  return [
    `${key} (${levelOf(check) ?? 'advisory'}): ${rule}`,
    `  why: ${whyOf(id)}`,
    ...(needs.length > 0 ? [`  needs of the place: ${needs.join(', ')}`] : []),
    ...(capability === undefined ? [] : [`  opens with the capability ${capability}`]),
    ...killed.map((mutant) => `  kills ${mutant.id}: ${mutant.bug}`),
    ...(killed.length === 0 ? ['  kills no mutant of its own yet'] : []),
    `  look: daybook-conformance run <store> --only ${key}`,
    `  source: ${await sourceOf(id)}`,
  ]
}

function whyOf(id: string): string {
  const groups = Object.keys(rulesOf) as RuleGroup[] // keys of a record
  const group = groups.find((one) => id.startsWith(`${one}-`))
  return group === undefined ? 'unknown' : why[group]
}

/** Where the check is written, in the sources that the package brings along. */
async function sourceOf(id: string): Promise<string> {
  const folder = new URL('../../src/checks/', import.meta.url)
  for (const name of (await readdir(folder)).toSorted()) {
    const lines = (await readFile(new URL(name, folder), 'utf8')).split('\n')
    const at = lines.findIndex((line) => line.includes(`'${id}'`))
    if (at >= 0) return `${fileURLToPath(new URL(name, folder))}:${at + 1}`
  }
  return 'made by a table in src/checks'
}
