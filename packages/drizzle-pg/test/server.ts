import postgres from 'postgres'

/** Where the tests look for PostgreSQL: an address in the environment, or a server on the default local port. */
export const serverUrl = process.env['DAYBOOK_PG_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'

/** Why there is no server to test on, or `undefined`. */
export async function whyNoServer(): Promise<string | undefined> {
  const sql = postgres(serverUrl, { max: 1, connect_timeout: 3, onnotice: () => {} })
  try {
    await sql`select 1`
    return undefined
  } catch (error) {
    const { code } = error as { code?: string } // drivers' errors carry one
    return `no PostgreSQL answers at the default local port or at DAYBOOK_PG_URL (${code ?? 'unknown error'})`
  } finally {
    await sql.end({ timeout: 1 })
  }
}
