import type { RowDataPacket } from 'mysql2/promise'

/** Everything the server says about the tables of a database, in an order of its own. */
export async function introspected({ rows }: { readonly rows: (query: string) => Promise<readonly RowDataPacket[]> }) {
  // Views apart: drizzle-kit is told of tables.
  const where =
    "where table_schema = database() and table_name in (select table_name from information_schema.tables where table_schema = database() and table_type = 'BASE TABLE')"
  const constraints = 'where constraint_schema = database()'
  return {
    columns:
      await rows(`select table_name as name, column_name as col, column_type as type, is_nullable, column_default, collation_name as collation, extra
      from information_schema.columns ${where} order by table_name, column_name`),
    indexes: await rows(`select table_name, index_name, non_unique, seq_in_index, column_name
      from information_schema.statistics ${where} order by table_name, index_name, seq_in_index`),
    references: await rows(`select constraint_name, table_name, referenced_table_name, delete_rule
      from information_schema.referential_constraints ${constraints} order by constraint_name`),
    checks: await rows(`select constraint_name, replace(check_clause, '\`', '') as clause
      from information_schema.check_constraints ${constraints} and constraint_name like '%\\_state' order by constraint_name, clause`),
    engines: await rows(
      `select table_name, engine as engine from information_schema.tables ${where} order by table_name`,
    ),
  }
}
