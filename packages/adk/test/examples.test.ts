import { expect, onTestFinished, test, vi } from 'vitest'
import { missingServer } from '../../../tools/servers/found.ts'
import { examplesIn, printedBy } from '../../../tools/examples.ts'
import { databases } from './databases.ts'

/** The database that the address in an example names, when nothing is in the environment. */
const schemes = { 'sqlite://agent.db': 'sqlite', 'postgres://': 'pg', 'mysql://': 'mysql', 'mariadb://': 'mariadb' }

test.for(examplesIn(`${import.meta.dirname}/..`))(
  'the example at $name prints what it says',
  { timeout: 60_000 },
  async (example, { skip }) => {
    const scheme = Object.entries(schemes).find(([start]) => example.code.includes(`?? '${start}`))
    const database = databases.find(({ name }) => name === scheme?.[1])
    if (database !== undefined) {
      const missing = database.server && missingServer(database.server)
      if (missing !== undefined) skip(missing)
      const { url, drop } = await database.fresh()
      onTestFinished(drop)
      vi.stubEnv('DATABASE_URL', url)
    }
    expect(await printedBy(example)).toEqual(example.promised)
    vi.unstubAllEnvs()
  },
)
