import type { Migration } from '@daybook/drizzle'

/**
 * The memories of a session are found by the session first: an index that began with the user, and of which most entries were alike, is
 * so small that PostgreSQL without statistics took it to look up an id, and read all that the user has. Frozen: a released migration
 * never changes.
 */
export const memorySource: Migration = {
  id: '0008',
  name: 'memory source',
  makes: [],
  statements: [
    `DROP INDEX {in}"{memories}_source"`,
    `CREATE INDEX "{memories}_source" ON {in}"{memories}" ("session_id", "app_name", "user_id")`,
  ],
}
