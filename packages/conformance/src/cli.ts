#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { exitCode, verifyCertificate, type Certificate } from './certificate.ts'
import { summary, writeCertificate } from './certificate-files.ts'
import { levels } from './check.ts'
import type { StoreUnderTest } from './define.ts'
import { createPlan } from './plan.ts'
import { runConformance } from './run.ts'

const usage = `daybook-conformance run <store.ts|mjs> [--level core|concurrent|durable] [--budget quick|cert] [--prove] [--seed n] [--only 'EVT-*'] [--out dir]
daybook-conformance list
daybook-conformance explain <check>
daybook-conformance verify <certificate.json>`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    level: { type: 'string', default: 'concurrent' },
    budget: { type: 'string', default: 'quick' },
    prove: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    out: { type: 'string' },
  },
})
const [command = '', target = ''] = positionals

const commands: Readonly<Record<string, () => Promise<number> | number>> = { run, list, explain, verify }

process.exitCode = await start().catch((error: unknown) => {
  console.error(error)
  return 3
})

async function start(): Promise<number> {
  const chosen = commands[command]
  if (chosen === undefined) throw new Error(usage)
  return chosen()
}

async function run(): Promise<number> {
  const { budget, prove, seed, only, out } = values
  const level = levels.find((one) => one === values.level)
  if (level === undefined || (budget !== 'quick' && budget !== 'cert')) throw new Error(usage)
  const subject = await subjectOf(target)
  const options = {
    level,
    budget,
    prove,
    ...(seed !== undefined && { seed: Number(seed) }),
    ...(only !== undefined && { only }),
  } as const
  const certificate = await runConformance(subject, { ...options, log: console.info })
  if (out !== undefined)
    await writeCertificate(certificate, pathToFileURL(`${resolve(out)}/`), 'certificate', { junit: true })
  for (const line of summary(certificate)) console.info(line)
  return exitCode(certificate)
}

/** Default export of the file. Node 20 strips no types; the hook does, where vitest is installed. */
async function subjectOf(path: string): Promise<StoreUnderTest> {
  if (path === '') throw new Error(usage)
  if (/\.m?ts$/.test(path) && Reflect.get(process.features, 'typescript') !== 'strip')
    register('../bin/typescript-hooks.mjs', import.meta.url)
  const found = (await import(pathToFileURL(resolve(path)).href)) as { default?: StoreUnderTest } // what defineStoreUnderTest answered
  if (found.default === undefined)
    throw new Error(`${path} has no default export; it should be what defineStoreUnderTest answers`)
  return found.default
}

function list(): number {
  for (const { key, rule } of createPlan('durable').planned) console.info(`${key} ${rule}`)
  return 0
}

function explain(): number {
  const found = createPlan('durable').planned.filter(({ key }) => key === target || key.startsWith(`${target}@`))
  for (const { key, level, rule } of found) console.info(`${key} (${level}): ${rule}`)
  return found.length === 0 ? 3 : 0
}

async function verify(): Promise<number> {
  const certificate = JSON.parse(await readFile(target, 'utf8')) as Certificate // what is verified is whether it is one
  const problems = verifyCertificate(certificate)
  for (const problem of problems) console.info(problem)
  console.info(
    problems.length === 0 ? `${certificate.verdict} at level ${certificate.level}, as it says` : 'not what it says',
  )
  return problems.length === 0 ? exitCode(certificate) : 1
}
