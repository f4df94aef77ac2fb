import type { Migration } from '@daybook/drizzle'

/** ISO 8601 in UTC with microseconds, out of whole microseconds. */
const time = (column: string) =>
  `strftime('%Y-%m-%dT%H:%M:%S', ${column} / 1000000, 'unixepoch') || printf('.%06dZ', ${column} % 1000000)`

/** Frozen: a released migration never changes. */
export const views: Migration = {
  id: '0002',
  name: 'views',
  makes: ['{sessions}_v1', '{events}_v1'],
  statements: [
    `CREATE VIEW "{sessions}_v1" AS SELECT
  "app_name", "user_id", "session_id", "state", "revision", "last_seq",
  ${time('"created_at"')} AS "created_at",
  ${time('"updated_at"')} AS "updated_at",
  ${time('"last_event_at"')} AS "last_event_at"
FROM "{sessions}"`,
    `CREATE VIEW "{events}_v1" AS SELECT
  s."app_name", s."user_id", s."session_id", e."seq", e."event_id", e."invocation_id", e."author", e."branch",
  e."error_code", ${time('e."timestamp"')} AS "timestamp", e."payload"
FROM "{events}" e JOIN "{sessions}" s ON s."sid" = e."sid"`,
  ],
}
