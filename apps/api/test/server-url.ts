import { inject } from 'vitest'

declare module 'vitest' {
  interface ProvidedContext {
    /** The database that this project of vitest runs the app on. */
    readonly backend: 'sqlite' | 'pg' | 'mariadb' | 'mysql'
  }
}

const urls = {
  sqlite: undefined,
  pg: process.env['DAYBOOK_PG_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres',
  mariadb: process.env['DAYBOOK_MARIADB_URL'] ?? 'mysql://root@127.0.0.1:3306/',
  mysql: process.env['DAYBOOK_MYSQL_URL'],
}
export const backend = inject('backend')
export const serverUrl = urls[backend]
export const missingServer: string | undefined = backend === 'sqlite' || serverUrl !== undefined ? undefined : 'none'
