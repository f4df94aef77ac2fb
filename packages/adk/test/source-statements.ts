import { createClient } from '@libsql/client'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'

/** Runs statements on the database of an address, as an administrator would. */
export async function query(url: string, ...statements: readonly string[]): Promise<void> {
  if (url.startsWith('sqlite://')) {
    const client = createClient({ url: `file:${url.slice('sqlite://'.length)}` })
    for (const statement of statements) await client.execute(statement)
    client.close()
  } else if (url.startsWith('postgres')) {
    const client = new Client({ connectionString: url })
    await client.connect()
    for (const statement of statements) await client.query(statement)
    await client.end()
  } else {
    const connection = await createConnection({ uri: url.replace(/^mariadb:/, 'mysql:') })
    for (const statement of statements) await connection.query(statement)
    await connection.end()
  }
}

/** Many events after the one that is there, each a millisecond later, as ADK would have written them one by one. */
export async function copyEvents(url: string, count: number, start: number): Promise<void> {
  const timeOf = (time: number) =>
    url.startsWith('sqlite://') ? String(time) : `'${new Date(time).toISOString().slice(0, 23).replace('T', ' ')}'`
  const rows = Array.from({ length: count }, (_, n) => {
    const [id, timestamp] = [`copy${n + 1}`, start + n + 1]
    const data = JSON.stringify({ id, timestamp, author: 'user', actions: { state_delta: {} } })
    return `('${id}', 'long', 'u', 's1', '', ${timeOf(timestamp)}, '${data}')`
  })
  const columns = '(id, app_name, user_id, session_id, invocation_id, timestamp, event_data)'
  const pieces = Array.from({ length: Math.ceil(count / 500) }, (_, n) => rows.slice(500 * n, 500 * (n + 1)))
  await query(url, ...pieces.map((piece) => `insert into events ${columns} values ${piece.join(', ')}`))
}
