import { expect, test } from 'vitest'
import { jsonSchemaOf } from '../src/model/json-schema.ts'

test('a schema of Gemini becomes JSON Schema, at every depth', () => {
  const schema = {
    type: 'OBJECT',
    required: ['type'],
    propertyOrdering: ['type'],
    properties: {
      type: { type: 'STRING', minLength: '1', enum: ['A'] },
      list: { type: 'ARRAY', maxItems: '3', items: { type: 'INTEGER', nullable: true } },
      either: { anyOf: [{ type: 'STRING' }, { type: 'BOOLEAN' }] },
    },
  }
  expect(jsonSchemaOf(schema)).toEqual({
    type: 'object',
    required: ['type'],
    properties: {
      type: { type: 'string', minLength: 1, enum: ['A'] },
      list: { type: 'array', maxItems: 3, items: { type: ['integer', 'null'] } },
      either: { anyOf: [{ type: 'string' }, { type: 'boolean' }] },
    },
  })
})
