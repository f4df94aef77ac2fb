import { randomBytes } from 'node:crypto'
import type { Sql } from 'postgres'

/** A role without rights to change the schema, which may use what the migrating role will make in it. */
export async function createAppRole(admin: Sql, schema: string): Promise<{ username: string; password: string }> {
  const [username, password] = [`${schema}_app`, randomBytes(12).toString('hex')]
  const role = admin(username)
  await admin.unsafe(`create role "${username}" login nosuperuser nocreatedb nocreaterole password '${password}'`)
  await admin`grant usage on schema ${admin(schema)} to ${role}`
  await admin`alter default privileges in schema ${admin(schema)} grant select, insert, update, delete on tables to ${role}`
  await admin`alter default privileges in schema ${admin(schema)} grant usage, select on sequences to ${role}`
  return { username, password }
}

/** Settings that change how PostgreSQL reads literals and arrays and writes numbers and times, each one that a role may have. */
export const hostileSettings = {
  standard_conforming_strings: 'off',
  backslash_quote: 'on',
  array_nulls: 'off',
  transform_null_equals: 'on',
  TimeZone: 'Asia/Kathmandu',
  DateStyle: 'SQL, DMY',
  IntervalStyle: 'sql_standard',
  bytea_output: 'escape',
  extra_float_digits: '-15',
  search_path: 'pg_catalog',
} as const

/** A role that may change the schema, and whose connections have settings that nobody would choose. */
export async function createHostileRole(admin: Sql, schema: string): Promise<{ username: string; password: string }> {
  const [username, password] = [`${schema}_own`, randomBytes(12).toString('hex')]
  await admin.unsafe(`create role "${username}" login superuser password '${password}'`)
  for (const [name, value] of Object.entries(hostileSettings))
    await admin.unsafe(`alter role "${username}" set ${name} = ${name === 'search_path' ? value : `'${value}'`}`)
  return { username, password }
}

/** After its schema is gone, and with it the default privileges. */
export async function dropAppRole(admin: Sql, username: string): Promise<void> {
  await admin`drop role ${admin(username)}`
}
