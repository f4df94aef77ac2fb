import { hash } from 'node:crypto'
import type { SessionKey } from '@daybook/core'
import { param } from '@daybook/drizzle'
import { sql, type SQL } from 'drizzle-orm'

// NOTIFY takes a lock of the whole server until its transaction has committed: ten writers become one. So it is sent only
// where somebody listens, and that is told by a lock: whoever tails a session holds its topic's advisory lock, shared, and an
// append that cannot have it for itself has a listener. The append holds it until it has committed; so a listener that gets
// it afterwards, and then looks, sees what was not announced to it.

export const channel = 'daybook'

/** The name of a session on the channel, a number of 64 bits; nothing of the key can be read from it. */
export function topicOf({ appName, userId, sessionId }: SessionKey): string {
  const key = JSON.stringify([appName, userId, sessionId])
  const known = topics.get(key)
  if (known !== undefined) return known
  const fresh = hash('sha256', key, 'buffer').readBigInt64BE().toString()
  if (topics.size === mostTopics) topics.clear()
  topics.set(key, fresh)
  return fresh
}

/** Of those that were appended to last: to hash a key takes a tenth of what JavaScript does for an append. */
const topics = new Map<string, string>()
const mostTopics = 1_000

/**
 * One column of a SELECT that has a row for each session with new events.
 *
 * @param topic a bigint
 */
export const announcementOf = (topic: SQL): SQL =>
  sql`case when not pg_try_advisory_xact_lock(${topic}) then pg_notify(${sql.raw(`'${channel}'`)}, ${topic}::text)::text end as "told"`

/** One column of a SELECT of one row. */
export const announcement = announcementOf(sql`${param('topic')}::text::bigint`)

export const announce = { sql: sql`select ${announcement}` }
