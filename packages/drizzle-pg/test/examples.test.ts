import { beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { examplesIn, printedBy } from '../../../tools/examples.ts'
import { connect, freshName, needsServer, serverUrl } from './server.ts'

beforeEach(needsServer)

/** An empty database, for the examples take the default names; dropped after the test. */
async function newDatabase(): Promise<string> {
  const name = freshName()
  const admin = connect({ max: 1 })
  await admin`create database ${admin(name)}`
  onTestFinished(async () => {
    await admin`drop database ${admin(name)} with (force)`
    await admin.end({ timeout: 1 })
  })
  return Object.assign(new URL(serverUrl), { pathname: `/${name}` }).href
}

test.for(examplesIn(`${import.meta.dirname}/..`))(
  'the example at $name prints what it says',
  { timeout: 40_000 },
  async (example) => {
    vi.stubEnv('DATABASE_URL', await newDatabase())
    expect(await printedBy(example)).toEqual(example.promised)
  },
)
