import { randomBytes } from 'node:crypto'
import postgres, { type Sql } from 'postgres'

/** Where the tests look for PostgreSQL: an address in the environment, or a server on the default local port. */
export const serverUrl = process.env['DAYBOOK_PG_URL'] ?? 'postgres://postgres@127.0.0.1:5432/postgres'

/** What has to be there in this run, by name: missing is a failure then, and otherwise a skip that says why. */
export const isRequired = (process.env['DAYBOOK_REQUIRE'] ?? '').split(',').some((name) => name.trim() === 'pg')

async function whyNoServer(): Promise<string | undefined> {
  const sql = connect({ max: 1, connect_timeout: 3 })
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

/** A client of the tests' own. */
export function connect(options: postgres.Options<Record<string, never>> = {}): Sql {
  return postgres(serverUrl, { max: 2, onnotice: () => {}, ...options })
}

/** Why there is no server to test on, or `undefined`. */
export const missingServer = await whyNoServer()

/** For `beforeEach`: skips a test that has no server, and says why. */
export function needsServer({ skip }: { skip: (reason: string) => never }): void {
  if (missingServer === undefined) return
  if (isRequired) throw new Error(`DAYBOOK_REQUIRE names pg, but ${missingServer}`)
  skip(missingServer)
}

/** A name that no other run has. */
export const freshName = (): string => `daybook_${randomBytes(6).toString('hex')}`

/** The server's address as another role, or of another server. */
export function urlWith(changes: Partial<Record<'username' | 'password' | 'host' | 'search', string>>): string {
  return Object.assign(new URL(serverUrl), changes).href
}
