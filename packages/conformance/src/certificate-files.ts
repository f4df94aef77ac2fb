import { mkdir, writeFile } from 'node:fs/promises'
import { lastLine, type Certificate } from './certificate.ts'
import { toJunit, toMarkdown } from './certificate-text.ts'

/** Writes `<name>.json` and `<name>.md`, and with `junit` also `<name>.xml`. */
export async function writeCertificate(
  certificate: Certificate,
  folder: URL,
  name: string,
  { junit = false }: { junit?: boolean } = {},
): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(new URL(`${name}.json`, folder), `${JSON.stringify(certificate, undefined, 2)}\n`)
  await writeFile(new URL(`${name}.md`, folder), toMarkdown(certificate))
  if (junit) await writeFile(new URL(`${name}.xml`, folder), toJunit(certificate))
}

/** The end of a run, for people; the last line counts. */
export function* summary(certificate: Certificate): Generator<string> {
  const { counts, level, requested, verdict, kind, checks, violations, run } = certificate
  yield Object.entries(counts)
    .map(([name, count]) => `${count} ${name}`)
    .join(' · ')
  for (const { key, reason, what } of checks.filter((one) => one.verdict === 'unproven')) {
    yield `unproven ${key}: ${what ?? reason ?? ''}`
  }
  for (const violation of violations) yield `not as planned: ${violation}`
  yield `${verdict} (${kind}), level reached: ${level}, asked for: ${requested}, ${run.ms} ms; slowest: ${run.slowest.join(', ')}`
  yield lastLine(certificate)
}
