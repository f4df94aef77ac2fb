import type { Sql } from 'postgres'

type Query = (text: string, values: readonly string[]) => Promise<readonly object[]>

export const introspected = (sql: Sql, schema: string) =>
  introspectedBy(async (text, values) => [...(await sql.unsafe<object[]>(text, [...values]))], schema)

/** What PostgreSQL says is in a schema; the schema's own name is left out of it. */
export async function introspectedBy(query: Query, schema: string) {
  const columns = await query(
    `
    select c.relname as "table", a.attname as "column", format_type(a.atttypid, a.atttypmod) as "type", l.collname as "collation",
      a.attnotnull as "notNull", a.attidentity as "identity", pg_get_expr(d.adbin, d.adrelid) as "default"
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
      left join pg_collation l on l.oid = a.attcollation left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where n.nspname = $1 and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped order by c.relname, a.attname`,
    [schema],
  )
  const indexes = await query(
    `
    select i.tablename as "table", i.indexname as "name", i.indexdef as "definition" from pg_indexes i where i.schemaname = $1 order by i.indexname`,
    [schema],
  )
  const constraints = await query(
    `
    select c.relname as "table", k.conname as "name", k.contype as "kind", pg_get_constraintdef(k.oid) as "definition"
    from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = $1 order by c.relname, k.conname`,
    [schema],
  )
  const bare = (rows: Iterable<object>): object[] =>
    JSON.parse(JSON.stringify([...rows]).replaceAll(`${schema}.`, '')) as object[] // rows again
  return { columns: bare(columns), indexes: bare(indexes), constraints: bare(constraints) }
}
