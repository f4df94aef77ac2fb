import { isStoreError, StoreError } from '@daybook/core'
import { isModuleMissing, schemeOf, sqliteUrl } from '../open-store.ts'
import { mysql, openMysql } from './mysql.ts'
import { openPostgres, postgres } from './postgres.ts'
import type { Source, SourceDialect, SourceFlavour, SourceHandle } from './source.ts'
import { openSqlite, sqlite } from './sqlite.ts'

const dialects: Readonly<Record<SourceFlavour, SourceDialect>> = { sqlite, postgresql: postgres, mysql }

const openers: Readonly<Record<string, { readonly needs: string; open(url: string): Promise<Source> }>> = {
  'sqlite:': { needs: '@libsql/client', open: (url) => openSqlite(sqliteUrl(url)) },
  'file:': { needs: '@libsql/client', open: openSqlite },
  'libsql:': { needs: '@libsql/client', open: openSqlite },
  'postgres:': { needs: 'pg', open: openPostgres },
  'postgresql:': { needs: 'pg', open: openPostgres },
  'mysql:': { needs: 'mysql2', open: openMysql },
  'mariadb:': { needs: 'mysql2', open: openMysql },
}

/** Opens the database of an address, to read one snapshot of it; or takes a connection that is somebody else's. */
export async function openSource(from: string | SourceHandle): Promise<Source> {
  if (typeof from !== 'string') return sourceOver(from)
  const scheme = schemeOf(from)
  const opener = Object.hasOwn(openers, scheme) ? openers[scheme] : undefined
  if (opener === undefined) {
    const known = Object.keys(openers).join(' ')
    throw new StoreError('invalid_argument', `from begins with none of ${known}`, { field: 'from' })
  }
  try {
    return await opener.open(from)
  } catch (cause) {
    if (isStoreError(cause)) throw cause
    if (isModuleMissing(cause))
      throw new StoreError('unsupported', `to read from ${scheme}, npm install ${opener.needs}`, { cause })
    throw new StoreError('unavailable', `the database to import from, ${scheme}, cannot be opened`, { cause })
  }
}

function sourceOver({ flavour, query }: SourceHandle): Source {
  if (typeof query !== 'function' || !Object.hasOwn(dialects, flavour)) {
    const known = Object.keys(dialects).join(', ')
    throw new StoreError('invalid_argument', `from needs a query and a flavour, which is one of ${known}`, {
      field: 'from',
    })
  }
  return { dialect: dialects[flavour], query, close: async () => {} }
}
