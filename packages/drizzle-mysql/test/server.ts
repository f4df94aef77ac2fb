import { createConnection } from 'mysql2/promise'

/** Where the tests look for MySQL or MariaDB: an address in the environment, or a server on the default local port. */
export const serverUrl = new URL(process.env['DAYBOOK_MYSQL_URL'] ?? 'mysql://root@127.0.0.1:3306/')

/** The server's address with another database. */
export const urlOf = (database: string): string => Object.assign(new URL(serverUrl), { pathname: `/${database}` }).href

/** What has to be there in this run, by name: missing is a failure then, and otherwise a skip that says why. */
export const isRequired = (process.env['DAYBOOK_REQUIRE'] ?? '').split(',').some((name) => name.trim() === 'mariadb')

/** Why there is no server to test on, or `undefined`. */
export const missingServer = await whyNoServer()

async function whyNoServer(): Promise<string | undefined> {
  try {
    const connection = await createConnection({ uri: serverUrl.href, connectTimeout: 3000 })
    await connection.end()
    return undefined
  } catch (error) {
    const { code } = error as { code?: string } // drivers' errors carry one
    return `no MySQL or MariaDB answers at the default local port or at DAYBOOK_MYSQL_URL (${code ?? 'unknown error'})`
  }
}
