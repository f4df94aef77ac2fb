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

/** After its schema is gone, and with it the default privileges. */
export async function dropAppRole(admin: Sql, username: string): Promise<void> {
  await admin`drop role ${admin(username)}`
}
