export type JsonSchema = Readonly<Record<string, unknown>>

/** Members that are other schemas. */
const nested = new Set(['items', 'anyOf', 'properties'])
/** Members that Gemini writes as text. */
const counts = new Set(['minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties'])

/** JSON Schema out of Gemini's dialect of it, in which ADK declares tools. */
export function jsonSchemaOf(schema: object): JsonSchema {
  const members = Object.entries(schema).filter(([name]) => name !== 'nullable' && name !== 'propertyOrdering')
  const converted = Object.fromEntries(members.map(([name, value]) => [name, memberOf(name, value)]))
  const isNullable = 'nullable' in schema && schema.nullable === true
  return isNullable ? { ...converted, type: [converted['type'], 'null'] } : converted
}

function memberOf(name: string, value: unknown): unknown {
  if (name === 'type') return String(value).toLowerCase()
  if (counts.has(name)) return Number(value)
  if (!nested.has(name) || typeof value !== 'object' || value === null) return value
  if (name === 'items') return jsonSchemaOf(value)
  if (Array.isArray(value)) return value.map(jsonSchemaOf)
  return Object.fromEntries(Object.entries(value).map(([property, inner]) => [property, jsonSchemaOf(Object(inner))]))
}
