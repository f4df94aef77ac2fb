import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string } // our own

export const suiteVersion: string = manifest.version

/**
 * SHA-256 over the code of the installed suite, file by file in order of their names: whoever has the same tarball gets the
 * same. `source` where the suite runs from its sources, which no tarball fixes.
 */
export function suiteHash(): string {
  if (import.meta.url.endsWith('.ts')) return 'source'
  const folder = new URL('./', import.meta.url)
  const hash = createHash('sha256')
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'))
  for (const path of files.map((one) => one.replaceAll('\\', '/')).toSorted())
    hash
      .update(`${path}\0`)
      .update(readFileSync(new URL(path, folder)))
      .update('\0')
  return hash.digest('hex')
}
