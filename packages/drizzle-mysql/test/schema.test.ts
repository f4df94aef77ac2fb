import { generateMySQLDrizzleJson, generateMySQLMigration } from 'drizzle-kit/api'
import { beforeEach, describe, expect, test } from 'vitest'
import { daybookTables, type Flavour, type MysqlTableOptions } from '../src/index.ts'
import { introspected } from './introspection.ts'
import { newPlace, needsServer, openedStore, type Place } from './places.ts'

beforeEach(needsServer)

async function flavourOf({ rows }: Place): Promise<Flavour> {
  const [row] = await rows('select version() as version')
  return /mariadb/i.test(String(row?.['version'])) ? 'mariadb' : 'mysql'
}

const shapes: Record<string, MysqlTableOptions> = {
  'the default names': {},
  'another prefix': { prefix: 'My$agent_' },
  'no foreign keys': { foreignKeys: false },
  'names for single tables': { tables: { sessions: 'conversations', events: 'turns' } },
}

describe('drizzle-kit and migrate() make the same schema', () => {
  test.for(Object.entries(shapes))('with %s', async ([, options]) => {
    const [kit, ours] = [await newPlace(), await newPlace()]
    const tables = daybookTables({ ...options, flavour: await flavourOf(kit) })
    const [nothing, all] = await Promise.all([generateMySQLDrizzleJson({}), generateMySQLDrizzleJson({ ...tables })])
    for (const statement of await generateMySQLMigration(nothing, all)) {
      await kit.pool.query(statement.replace(/^CREATE TABLE [^]*\)(?=;?\s*$)/, '$& CHARACTER SET utf8mb4'))
    }
    await (await openedStore(ours.url, options)).migrate()
    expect(await introspected(ours)).toEqual(await introspected(kit))
  })
})

test('every id and every text to filter by is compared byte for byte, in InnoDB', async () => {
  const place = await newPlace()
  await (await openedStore(place.url)).migrate()
  const { columns, engines } = await introspected(place)
  const exact = { mysql: 'utf8mb4_0900_bin', mariadb: 'utf8mb4_nopad_bin' }[await flavourOf(place)]
  const folding = columns.filter(
    ({ name, type, collation }) =>
      name !== 'daybook_migrations' && /^(?:varchar|text)/.test(String(type)) && collation !== exact,
  )
  expect(folding).toEqual([])
  expect(new Set(engines.map(({ engine }) => String(engine)))).toEqual(new Set(['InnoDB']))
})
