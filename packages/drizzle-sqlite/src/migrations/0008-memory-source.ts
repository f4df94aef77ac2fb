import type { Migration } from '@daybook/drizzle'

/** The memories of a session are found by the session first, for the reason that PostgreSQL has. Frozen: a released migration never changes. */
export const memorySource: Migration = {
  id: '0008',
  name: 'memory source',
  makes: [],
  statements: [
    `DROP INDEX "{memories}_source"`,
    `CREATE INDEX "{memories}_source" ON "{memories}" ("session_id", "app_name", "user_id")`,
  ],
}
