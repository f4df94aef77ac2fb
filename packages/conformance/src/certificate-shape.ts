import { readFileSync } from 'node:fs'
import type { Certificate } from './certificate.ts'

interface Schema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
  readonly items?: Schema
}

const text = readFileSync(new URL('../certificate.schema.json', import.meta.url), 'utf8')
const shape = JSON.parse(text) as Schema // our own file

/** A file that holds no certificate. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}

/** Where a value is not as `certificate.schema.json` says; as much of JSON Schema as that file uses. */
export const shapeViolations = (value: unknown): string[] => violations(value, shape, '$')

export const isCertificate = (value: unknown): value is Certificate => shapeViolations(value).length === 0

function violations(value: unknown, schema: Schema, path: string): string[] {
  const kind = Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value
  if (schema.type !== undefined && schema.type !== kind) return [`${path} is ${kind}, not ${schema.type}`]
  if (schema.const !== undefined && value !== schema.const) return [`${path} is not ${JSON.stringify(schema.const)}`]
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${path} is ${String(value)}`]
  if (Array.isArray(value)) return value.flatMap((item, i) => violations(item, schema.items ?? {}, `${path}[${i}]`))
  if (typeof value !== 'object' || value === null) return []
  const missing = (schema.required ?? [])
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => `${path}.${name} is missing`)
  const members = Object.entries(value).flatMap(([name, member]) => {
    const own = schema.properties?.[name]
    if (own !== undefined) return violations(member, own, `${path}.${name}`)
    return schema.additionalProperties === false ? [`${path}.${name} is not known`] : []
  })
  return [...missing, ...members]
}
