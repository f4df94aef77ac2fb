// Certifies one backend of this repository and writes its certificate under conformance/.
import { mkdir, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { exitCode, lastLine, type Certificate } from './certificate.ts'
import { toMarkdown } from './certificate-markdown.ts'
import type { StoreUnderTest } from './define.ts'
import { levels, type Level } from './check.ts'
import { runConformance } from './run.ts'

const root = new URL('../../../', import.meta.url)

/** Where the subjects of each backend are; loaded only when asked for, since each brings its driver. */
const modules: Readonly<Record<string, string>> = {
  memory: 'packages/conformance/test/memory-subject.ts',
  sqlite: 'packages/drizzle-sqlite/test/subjects.ts',
  'libsql-client': 'packages/drizzle-sqlite/test/subjects.ts',
  'better-sqlite3': 'packages/drizzle-sqlite/test/subjects.ts',
  pg: 'packages/drizzle-pg/test/subjects.ts',
}

const { values } = parseArgs({
  options: {
    backend: { type: 'string' },
    level: { type: 'string', default: 'concurrent' },
    budget: { type: 'string', default: 'quick' },
    prove: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
  },
})

process.exitCode = await certify().catch((error: unknown) => {
  console.error('the store or the harness could not start:', error)
  return 3
})

async function certify(): Promise<number> {
  const { backend = '', budget, seed, only, prove } = values
  const level = levels.find((one) => one === values.level)
  if (level === undefined || (budget !== 'quick' && budget !== 'cert')) throw new Error('--level is core, concurrent or durable; --budget is quick or cert')
  const subject = await subjectOf(backend)
  const certificate = await runConformance(subject, { level, budget, prove, log: console.info, ...(seed !== undefined && { seed: Number(seed) }), ...(only !== undefined && { only }) })
  // A part of the suite is for looking into something; it replaces no certificate.
  if (only === undefined) await write(backend, certificate)
  for (const line of summary(certificate, level)) console.info(line)
  return exitCode(certificate)
}

async function subjectOf(backend: string): Promise<StoreUnderTest> {
  const path = modules[backend]
  if (path === undefined) throw new Error(`--backend is one of ${Object.keys(modules).join(', ')}`)
  const { subjects } = (await import(new URL(path, root).href)) as { subjects: Readonly<Record<string, StoreUnderTest>> } // the shape that subject files have
  const subject = subjects[backend]
  if (subject === undefined) throw new Error(`${path} has no subject ${backend}; it has ${Object.keys(subjects).join(', ')}`)
  return subject
}

async function write(backend: string, certificate: Certificate): Promise<void> {
  const folder = new URL('conformance/', root)
  await mkdir(folder, { recursive: true })
  await writeFile(new URL(`${backend}.json`, folder), `${JSON.stringify(certificate, undefined, 2)}\n`)
  await writeFile(new URL(`${backend}.md`, folder), toMarkdown(certificate))
}

function* summary(certificate: Certificate, asked: Level): Generator<string> {
  const { counts, level, verdict, kind, checks, violations, run } = certificate
  yield Object.entries(counts).map(([name, count]) => `${count} ${name}`).join(' · ')
  for (const { key, reason, what } of checks.filter((one) => one.verdict === 'unproven')) yield `unproven ${key}: ${what ?? reason ?? ''}`
  for (const violation of violations) yield `not as planned: ${violation}`
  yield `${verdict} (${kind}), level reached: ${level}, asked for: ${asked}, ${run.ms} ms; slowest: ${run.slowest.join(', ')}`
  yield lastLine(certificate)
}
