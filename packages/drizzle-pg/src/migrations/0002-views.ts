import type { Migration } from '@daybook/drizzle'

/** Exact: a double holds the seconds of every time, but not all of its microseconds. */
const time = (column: string) =>
  `timestamptz 'epoch' + ${column} / 1000000 * interval '1 second' + ${column} % 1000000 * interval '1 microsecond'`

/** Frozen: a released migration never changes. */
export const views: Migration = {
  id: '0002',
  name: 'views',
  makes: ['{sessions}_v1', '{events}_v1'],
  statements: [
    `CREATE VIEW {in}"{sessions}_v1" AS SELECT
  "app_name", "user_id", "session_id", "state", "revision", "last_seq",
  ${time('"created_at"')} AS "created_at",
  ${time('"updated_at"')} AS "updated_at",
  ${time('"last_event_at"')} AS "last_event_at"
FROM {in}"{sessions}"`,
    `CREATE VIEW {in}"{events}_v1" AS SELECT
  s."app_name", s."user_id", s."session_id", e."seq", e."event_id", e."invocation_id", e."author", e."branch",
  e."error_code", ${time('e."timestamp"')} AS "timestamp", e."payload"
FROM {in}"{events}" e JOIN {in}"{sessions}" s ON s."sid" = e."sid"`,
  ],
}
