import type { JsonObject, SessionKey, StateKey } from '@daybook/core'
import type { SourceDialect, SourceRow, TimeColumn } from './source.ts'

/** Where a session lies in the database to import from. */
export interface SourceSession extends SessionKey {
  /** Milliseconds since 1970; NaN where the column has no time. */
  readonly createdAt: number
  readonly updatedAt: number
}

/** Its document is text that may not be readable. */
export interface SourceState {
  readonly key: StateKey
  readonly text: string | null
}

export interface TableCounts {
  readonly appStates: number
  readonly userStates: number
  readonly sessions: number
  readonly events: number
}

/** A table of a layout by what it holds. */
export type TableName = keyof TableCounts

/** What a layout of tables is, for the one who reads them. */
export interface Layout {
  readonly name: 'adk' | 'sqlspec'
  /** How it says which generation it is, for the report. */
  readonly schema: string
  /** Absent where this generation has none. */
  readonly tables: Readonly<Record<'sessions' | 'events', string> & Partial<Record<TableName, string>>>
  /** Whether an event says its app and user, and not its session only. */
  readonly eventsNameUsers: boolean
  readonly time: (dialect: SourceDialect, zone: string) => TimeColumn
  /** What is selected of an event, by alias. Its `id`, and its time as `at`, come by themselves. */
  readonly body: (dialect: SourceDialect) => Readonly<Record<string, string>>
  /** The event of such a row, as JavaScript's ADK has it. Throws where it cannot be read. */
  readonly event: (row: SourceRow, time: TimeColumn) => JsonObject
  /** The document of a user or an app, its keys without prefix. */
  readonly scopeState: (state: JsonObject) => JsonObject
  /** The keys of users and apps are in the documents of sessions, and a session's copy is as old as the session. */
  readonly scopesInSessions: boolean
  /** What it has lost or keeps in a form that is not read, of each event. */
  readonly left?: { readonly reason: 'pickled_actions'; readonly detail: string }
}

/** Parses JSON text as an object. `__proto__` stays a key, as JSON.parse has it. */
export function jsonObject(text: unknown, what: string): JsonObject {
  const value: unknown = typeof text === 'string' ? JSON.parse(text) : text
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new Error(`${what} is no object`)
  return value as JsonObject // JSON.parse answers nothing else
}
