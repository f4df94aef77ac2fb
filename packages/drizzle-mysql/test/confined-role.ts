import type { Pool, RowDataPacket } from 'mysql2/promise'

/** How the rows of one app are told in a table that does not name it, and by which table that does. */
const owned = [
  { column: 'app_name', owner: undefined },
  { column: 'sid', owner: 'daybook_sessions' },
  { column: 'aid', owner: 'daybook_artifacts' },
  { column: 'mid', owner: 'daybook_memories' },
] as const

/**
 * What these servers have for row-level security: a database of views with the names of the tables, each with the rows of one
 * app, that refuse others (`WITH CHECK OPTION`). The user has rights on nothing else.
 *
 * @returns the database of the views, which is not there once the user's own one is dropped with `dropConfined`
 */
export async function confine(admin: Pool, database: string, user: string, appName: string): Promise<string> {
  const views = viewsOf(database)
  const named = (table: string) => admin.format('??.??', [database, table])
  const own = admin.format('app_name = ?', [appName])
  await admin.query('create database ??', [views])
  const [found] = await admin.query<RowDataPacket[]>(
    `select table_name as name, group_concat(column_name) as columns from information_schema.columns
    join information_schema.tables using (table_schema, table_name)
    where table_schema = ? and table_type = 'BASE TABLE' and table_name like 'daybook%' group by table_name`,
    [database],
  )
  for (const { name, columns } of found as { name: string; columns: string }[]) {
    const by = owned.find(({ column }) => columns.split(',').includes(column))
    const where =
      by === undefined
        ? 'true' // which migrations there are
        : by.owner === undefined
          ? own
          : `${by.column} in (select ${by.column} from ${named(by.owner)} where ${own})`
    await admin.query(
      `create view ??.?? as select * from ${named(name)} where ${where} ${by === undefined ? '' : 'with check option'}`,
      [views, name],
    )
  }
  await admin.query("revoke all privileges on ??.* from ?@'%'", [database, user])
  await admin.query("grant select, insert, update, delete on ??.* to ?@'%'", [views, user])
  return views
}

const viewsOf = (database: string) => `${database}_v`

export const dropConfined = (admin: Pool, database: string) =>
  admin.query('drop database if exists ??', [viewsOf(database)])
