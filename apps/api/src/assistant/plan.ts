import { recall, rules } from './rules.ts'
import type { ToolResult } from './tool-context.ts'
import type { ToolCall } from './tools.ts'

/** What the assistant says at the end of a turn, and what it keeps. */
export interface Answer {
  readonly text: string
  readonly set?: Readonly<Record<string, unknown>>
  readonly unset?: readonly string[]
}

/** What the assistant will do about a message. Which tools it calls follows from the text alone, so a cut turn goes on alike. */
export interface Plan {
  readonly tools: readonly ToolCall[]
  answer(state: Readonly<Record<string, unknown>>, results: readonly ToolResult[]): Answer
}

/** A way to understand a message. */
export interface Rule {
  readonly pattern: RegExp
  /** The message is taken as it is written, with its lines and the dot at its end. */
  readonly isVerbatim?: boolean
  readonly plan: (groups: Readonly<Record<string, string>>) => Plan
}

/** The first rule whose pattern fits the message decides. */
export function planFor(text: string): Plan {
  const message = text.trim().replaceAll(/\s+/g, ' ').replaceAll('’', "'")
  for (const { pattern, isVerbatim = false, plan } of rules) {
    const match = pattern.exec(isVerbatim ? text.trim() : message)
    if (match !== null) return plan(isVerbatim ? { ...match.groups } : trimmed(match.groups ?? {}))
  }
  return { tools: [], answer: (state) => recall(message, state) }
}

const trimmed = (groups: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(groups).map(([name, value = '']) => [name, value.trim().replace(/[.!?\s]+$/, '')]))
