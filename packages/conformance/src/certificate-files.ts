import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { toBadge } from './badge.ts'
import { lastLine, type Certificate } from './certificate.ts'
import { CertificateError, isCertificate, shapeViolations } from './certificate-shape.ts'
import { toJunit, toMarkdown } from './certificate-text.ts'

const toJson = (certificate: Certificate) => `${JSON.stringify(certificate, undefined, 2)}\n`

async function writeAll(folder: URL, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(folder, { recursive: true })
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(new URL(name, folder), text)))
}

/** Writes `<name>.json` and `<name>.md`, where certificates of several stores lie side by side. */
export const writeCertificate = (certificate: Certificate, folder: URL, name: string): Promise<void> =>
  writeAll(folder, { [`${name}.json`]: toJson(certificate), [`${name}.md`]: toMarkdown(certificate) })

/** Writes everything that a run of one store leaves: `certificate.json`, `CONFORMANCE.md`, `junit.xml`, `badge.svg`. */
export const writeReport = (certificate: Certificate, folder: URL): Promise<void> =>
  writeAll(folder, {
    'certificate.json': toJson(certificate),
    'CONFORMANCE.md': toMarkdown(certificate),
    'junit.xml': toJunit(certificate),
    'badge.svg': toBadge(certificate),
  })

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

/** Rejects when the file holds no certificate. What it says is not believed: that is what `verify` is for. */
export async function readCertificate(path: string): Promise<Certificate> {
  const found: unknown = JSON.parse(await readFile(path, 'utf8'))
  if (isCertificate(found)) return found
  throw new CertificateError(`${path} is no certificate: ${shapeViolations(found).slice(0, 3).join('; ')}`)
}
