import type { JsonObject } from '../data.ts'

/** The state that a session sees: its own keys, and those of its user and its app with their prefixes. */
export function merged(session: JsonObject, user: JsonObject | null, app: JsonObject | null): JsonObject {
  if (user === null && app === null) return session
  return {
    ...session,
    ...Object.fromEntries(Object.entries(user ?? {}).map(([key, value]) => [`user:${key}`, value])),
    ...Object.fromEntries(Object.entries(app ?? {}).map(([key, value]) => [`app:${key}`, value])),
  }
}
