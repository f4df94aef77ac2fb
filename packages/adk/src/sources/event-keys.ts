import type { JsonObject, JsonValue } from '@daybook/core'

/**
 * Below these paths the keys are those of users and tools, and are kept as they are. ADK's own list (`PRESERVE_KEYS_SNAKE_CASE`
 * of its `events/event.js`), which it does not export.
 */
const freeForm: ReadonlySet<string> = new Set([
  'actions.state_delta',
  'actions.artifact_delta',
  'actions.requested_auth_configs',
  'actions.requested_tool_confirmations',
  'actions.custom_metadata',
  'custom_metadata',
  'content.parts.function_call.args',
  'content.parts.function_response.response',
  'output',
  'route',
  'actions.agent_state',
])

const camel = (key: string) => key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** An event whose keys are in snake case, as databases of ADK have it, in the form of JavaScript's ADK. */
export const camelCaseEvent = (event: JsonObject): JsonObject => camelCaseMembers(event, '')

function camelCaseMembers(object: JsonObject, path: string): JsonObject {
  return Object.fromEntries(
    Object.entries(object).map(([key, value]) => {
      const inner = path === '' ? key : `${path}.${key}`
      return [camel(key), freeForm.has(inner) ? value : camelCaseValue(value, inner)]
    }),
  )
}

function camelCaseValue(value: JsonValue, path: string): JsonValue {
  if (Array.isArray(value)) return value.map((item) => camelCaseValue(item, path))
  return typeof value === 'object' && value !== null ? camelCaseMembers(value, path) : value
}
