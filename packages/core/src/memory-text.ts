import { isJsonObject, type JsonValue } from './json.ts'

/**
 * The text of what was said: of a string itself; of `{ parts }` as agents write them the texts, and the names and plain values of
 * function calls and their results, and code with what came of it. Bytes are not text.
 *
 * @example
 * ```ts
 * import { textOf } from '@daybook/core'
 *
 * const call = { functionCall: { name: 'weather', args: { city: 'Oslo' } } }
 * console.log(textOf({ parts: [{ text: 'Let me see' }, call] }).split('\n')) // [ 'Let me see', 'weather', 'Oslo' ]
 * ```
 */
export function textOf(content: JsonValue | undefined): string {
  if (typeof content === 'string') return content
  if (!isJsonObject(content)) return ''
  const { parts, text } = content
  const own = typeof text === 'string' ? [text] : []
  return [...own, ...(Array.isArray(parts) ? parts.flatMap((part) => textsOfPart(part)) : [])].join('\n')
}

/** Whether there is something to remember: at least one part, or content of another form that says something. */
export function hasParts(content: JsonValue | undefined): boolean {
  if (content === undefined || content === null || content === '') return false
  if (isJsonObject(content) && Array.isArray(content['parts'])) return content['parts'].length > 0
  return !(isJsonObject(content) && content['parts'] === undefined && textOf(content) === '')
}

function textsOfPart(part: JsonValue): string[] {
  if (typeof part === 'string') return [part]
  if (!isJsonObject(part)) return []
  const { text, functionCall, functionResponse, executableCode, codeExecutionResult } = part
  return [
    ...(typeof text === 'string' ? [text] : []),
    ...named(functionCall, 'args'),
    ...named(functionResponse, 'response'),
    ...leavesOf(isJsonObject(executableCode) ? executableCode['code'] : undefined),
    ...leavesOf(isJsonObject(codeExecutionResult) ? codeExecutionResult['output'] : undefined),
  ]
}

const named = (value: JsonValue | undefined, member: string): string[] =>
  isJsonObject(value) ? [...leavesOf(value['name']), ...leavesOf(value[member])] : []

/** Strings and numbers, wherever they are. */
function leavesOf(value: JsonValue | undefined): string[] {
  if (typeof value === 'string') return [value]
  if (typeof value === 'number') return [String(value)]
  if (value === undefined || value === null || typeof value === 'boolean') return []
  return Object.values(value).flatMap((member) => leavesOf(member))
}
