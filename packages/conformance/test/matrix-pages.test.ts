import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { matrixPages } from './matrix-pages.ts'

const root = new URL('../../../', import.meta.url)

// Whoever commits a certificate commits the pages that are written from it: `pnpm conformance --backend <name>` writes both.
test('the matrix in conformance/ and in the README is that of the committed certificates', async () => {
  for (const [path, text] of Object.entries(await matrixPages(root)))
    expect(await readFile(new URL(path, root), 'utf8')).toBe(text)
})
