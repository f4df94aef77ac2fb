import { fileURLToPath } from 'node:url'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { examplesIn, printedBy } from '../../../tools/examples.ts'
import { needsServer, newPlace } from './places.ts'

beforeEach(needsServer)

const examples = examplesIn(fileURLToPath(new URL('..', import.meta.url)))

describe('what the documentation shows runs', () => {
  test.each(examples)('$name', async (example) => {
    const { url } = await newPlace()
    vi.stubEnv('DATABASE_URL', url)
    expect(await printedBy(example)).toMatchObject(example.promised)
    vi.unstubAllEnvs()
  })
})
