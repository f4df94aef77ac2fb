import { generateMySQLDrizzleJson, generateMySQLMigration } from 'drizzle-kit/api'
import { beforeEach, describe, expect, test } from 'vitest'
import { daybookTables, type Flavour, type MysqlTableOptions } from '../src/index.ts'
import { newPlace, needsServer, openedStore, type Place } from './places.ts'

beforeEach(needsServer)

/** Everything the server says about the tables of a database, in an order of its own. */
async function introspected({ rows }: Place) {
  const where = 'where table_schema = database()'
  const constraints = 'where constraint_schema = database()'
  return {
    columns:
      await rows(`select table_name as name, column_name as col, column_type as type, is_nullable, column_default, collation_name as collation, extra
      from information_schema.columns ${where} order by table_name, column_name`),
    indexes: await rows(`select table_name, index_name, non_unique, seq_in_index, column_name
      from information_schema.statistics ${where} order by table_name, index_name, seq_in_index`),
    references: await rows(`select constraint_name, table_name, referenced_table_name, delete_rule
      from information_schema.referential_constraints ${constraints} order by constraint_name`),
    checks: await rows(`select constraint_name, replace(check_clause, '\`', '') as clause
      from information_schema.check_constraints ${constraints} and constraint_name like '%\\_state' order by constraint_name, clause`),
    engines: await rows(
      `select table_name, engine as engine from information_schema.tables ${where} order by table_name`,
    ),
  }
}

async function flavourOf({ rows }: Place): Promise<Flavour> {
  const [row] = await rows('select version() as version')
  return /mariadb/i.test(String(row?.['version'])) ? 'mariadb' : 'mysql'
}

const shapes: Record<string, MysqlTableOptions> = {
  'the default names': {},
  'another prefix': { prefix: 'My$agent_' },
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
