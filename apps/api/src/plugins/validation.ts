import type { FastifySchemaCompiler } from 'fastify'
import { Compile } from 'typebox/compile'
import type { TObject, TSchema } from 'typebox'

/**
 * Validates with TypeBox. A body is taken as it is; in a query, where everything is text, what reads as a number or a
 * boolean becomes one. Nothing is rounded, guessed or left out.
 */
export const validatorCompiler: FastifySchemaCompiler<TSchema> = ({ schema, httpPart }) => {
  const validator = Compile(schema)
  return (given: unknown) => {
    const value = httpPart === 'querystring' && isObjectSchema(schema) ? fromText(schema, given) : given
    return validator.Check(value) ? { value } : { error: validator.Errors(value) }
  }
}

const isObjectSchema = (schema: TSchema): schema is TObject => 'properties' in schema

const fromText = ({ properties }: TObject, query: unknown): unknown =>
  Object.fromEntries(
    Object.entries(query ?? {}).map(([name, value]) => [
      name,
      readText(Object.hasOwn(properties, name) ? properties[name] : undefined, value),
    ]),
  )

function readText(schema: (TSchema & { type?: string }) | undefined, value: unknown): unknown {
  if (typeof value !== 'string') return value
  const isNumber = schema?.type === 'number' || schema?.type === 'integer'
  if (isNumber) return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(value) ? Number(value) : value
  return schema?.type === 'boolean' && (value === 'true' || value === 'false') ? value === 'true' : value
}
