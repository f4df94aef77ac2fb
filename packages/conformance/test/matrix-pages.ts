import { readdir, readFile, writeFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readCertificate } from '../src/certificate-files.ts'
import { toMatrix, toShortMatrix, type Column } from '../src/matrix.ts'

/** The pages that are written from the committed certificates: path from the root, and text. */
export async function matrixPages(root: URL): Promise<Readonly<Record<string, string>>> {
  const folder = new URL('conformance/', root)
  const names = (await readdir(folder)).filter((file) => file.endsWith('.json')).map((file) => basename(file, '.json'))
  const columns: Column[] = await Promise.all(
    names.toSorted(referenceFirst).map(async (name) => ({
      name,
      href: `${name}.md`,
      certificate: await readCertificate(fileURLToPath(new URL(`${name}.json`, folder))),
    })),
  )
  return {
    'conformance/README.md': page(columns),
    'README.md': between(
      await readFile(new URL('README.md', root), 'utf8'),
      toShortMatrix(columns.map((column) => ({ ...column, href: `conformance/${column.name}.md` }))),
    ),
  }
}

export async function writeMatrixPages(root: URL): Promise<void> {
  for (const [path, text] of Object.entries(await matrixPages(root))) await writeFile(new URL(path, root), text)
}

const referenceFirst = (a: string, b: string) => Number(b === 'memory') - Number(a === 'memory') || (a < b ? -1 : 1)

const page = (columns: readonly Column[]) => `# What the suite found

Written from the certificates in this folder by \`node tools/pnpm.mjs run conformance --backend <name>\`; each column is one of them. A cell is how many checks of a group passed, of those that say something about the store; what was refused as the contract demands (\`absent-verified\`) counts as passed. \`daybook-conformance explain SES\`, with a number, tells what a check is about.

${toMatrix(columns)}`

/** The README with the table between its two marks. */
function between(text: string, table: string): string {
  const pattern = /(<!-- matrix:[^\n]*-->\n)[^]*(<!-- \/matrix -->)/
  if (!pattern.test(text)) throw new Error('README.md has lost the marks between which the matrix stands')
  return text.replace(pattern, (_all, start: string, end: string) => `${start}\n${table}\n${end}`)
}
