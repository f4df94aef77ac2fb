import type { SessionKey } from '@daybook/core'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

export const key: SessionKey = { appName: 'shop', userId: 'ann', sessionId: 's1' }

/** A path for a new file; its folder goes when the test has finished. */
export function newPath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'daybook-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'daybook.db')
}
