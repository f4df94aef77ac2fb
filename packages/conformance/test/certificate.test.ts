import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { toJunit, toMarkdown } from '../src/certificate-text.ts'
import { runConformance } from '../src/run.ts'
import { memory } from './memory-subject.ts'

interface Schema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean
  readonly items?: Schema
}

/** As much of JSON Schema as the shipped file uses. */
function violations(value: unknown, schema: Schema, path = '$'): string[] {
  const kind = Array.isArray(value) ? 'array' : typeof value
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

test('a certificate is as its schema says, in every form', async () => {
  const schema = JSON.parse(await readFile(new URL('../certificate.schema.json', import.meta.url), 'utf8')) as Schema // our own file
  const certificate = await runConformance(memory, { only: ['SES-10', 'META-03', 'CON-12'] })
  expect(violations(JSON.parse(JSON.stringify(certificate)), schema)).toEqual([])
  expect(toMarkdown(certificate)).toContain('| SES-10 | core | pass |')
  expect(toJunit(certificate)).toContain(
    `<testsuite name="${memory.subject.name}" tests="${certificate.checks.length}"`,
  )
})

test('the findings carry neither clock nor machine', async () => {
  const { run: _run, ...findings } = await runConformance(memory, { only: ['SES-01'] })
  expect(JSON.stringify(findings)).not.toMatch(new RegExp(`${process.version}|20\\d\\d-\\d\\d-\\d\\d`))
})
