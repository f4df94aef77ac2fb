import { StoreError } from '@daybook/core'
import { existsSync } from 'node:fs'
import type { Source, SourceDialect } from './source.ts'

const julianOf1970 = 2_440_587.5
const msOfDay = 86_400_000

export const sqlite: SourceDialect = {
  flavour: 'sqlite',
  name: (identifier) => `"${identifier.replaceAll('"', '""')}"`,
  param: () => '?',
  jsonText: (column) => column,
  columns: `select m.name as "of", c.name as "name" from sqlite_master m, pragma_table_info(m.name) c where m.type in ('table', 'view')`,
  adkTime: () => ({
    sql: (column) => column,
    read: (value) => (typeof value === 'number' ? value : Number.NaN),
  }),
  // A Julian day as a double, which moves in steps of some 40 microseconds.
  sqlspecTime: {
    sql: (column) => column,
    read: (value) =>
      typeof value === 'number' ? Math.round((value - julianOf1970) * msOfDay * 1000) / 1000 : Number.NaN,
  },
  isZoneless: false,
}

export async function openSqlite(url: string): Promise<Source> {
  const { createClient } = await import('@libsql/client')
  const path = /^file:(?:\/\/(?=\/))?([^?#]+)/.exec(url)?.[1]
  if (path !== undefined && path !== ':memory:' && !existsSync(decodeURIComponent(path)))
    // it would be made
    throw new StoreError('invalid_argument', 'from names a file that is not there', { field: 'from' })
  const client = createClient({ url, intMode: 'number', timeout: 5000 })
  const transaction = await client.transaction('read')
  return {
    dialect: sqlite,
    query: async (sql, params) => {
      const { columns, rows } = await transaction.execute({ sql, args: [...params] })
      return rows.map((row) => Object.fromEntries(columns.map((column, i) => [column, row[i]])))
    },
    async close() {
      transaction.close()
      client.close()
    },
  }
}
