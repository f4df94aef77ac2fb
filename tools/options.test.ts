import { createInMemoryStore, isStoreError } from '../packages/core/src/index.ts'
import { openMysqlStore } from '../packages/drizzle-mysql/src/index.ts'
import { openPgStore } from '../packages/drizzle-pg/src/index.ts'
import { openSqliteStore } from '../packages/drizzle-sqlite/src/index.ts'
import { expect, test } from 'vitest'
import { read } from './workspace.ts'

const page = read('docs/options.md')
/** What stands in the first column of a table, and the names of two drivers' pools. */
const told = new Set(
  [...page.matchAll(/^\| ([^|]+) \|/gm)].flatMap(([, cell = '']) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  ),
)
const pools = new Set(['max', 'connectionLimit'])

const stranger = { url: 'x', nonsense: 1 }
const stores: Readonly<Record<string, () => Promise<unknown>>> = {
  memory: async () => createInMemoryStore(stranger as object),
  sqlite: () => openSqliteStore(stranger),
  pg: () => openPgStore(stranger),
  mysql: () => openMysqlStore(stranger),
}

/** A store that refuses an option says which there are. */
async function namesOf(open: () => Promise<unknown>): Promise<readonly string[]> {
  const refused = await open().catch((error: unknown) => error)
  const message = isStoreError(refused) ? refused.message : ''
  return message.slice(message.indexOf('there are ') + 'there are '.length).split(', ')
}

test.each(Object.keys(stores))('docs/options.md tells of every option of %s', async (name) => {
  const names = await namesOf(stores[name] ?? (async () => undefined))
  expect(names.length).toBeGreaterThan(4)
  expect(names.filter((one) => !told.has(one) && !pools.has(one) && one !== 'signal')).toEqual([])
})

test('docs/options.md tells of no option that none has', async () => {
  const names = new Set((await Promise.all(Object.values(stores).map(namesOf))).flat())
  expect([...told].filter((one) => !names.has(one))).toEqual([])
})

test('what is an option of every store over Drizzle is one of each', async () => {
  for (const name of ['sqlite', 'pg', 'mysql'])
    expect(await namesOf(stores[name] ?? (async () => undefined))).toEqual(
      expect.arrayContaining([
        'logger',
        'now',
        'timeout',
        'limits',
        'areas',
        'prefix',
        'tables',
        'codec',
        'groupCommit',
      ]),
    )
})
