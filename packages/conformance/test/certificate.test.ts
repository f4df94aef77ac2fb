import { expect, test } from 'vitest'
import { toBadge } from '../src/badge.ts'
import { shapeViolations } from '../src/certificate-shape.ts'
import { toJunit, toMarkdown } from '../src/certificate-text.ts'
import type { Honoured, Lack } from '../src/define.ts'
import { redact } from '../src/redact.ts'
import { runConformance } from '../src/run.ts'
import { memory } from './memory-subject.ts'

test('a certificate is as its schema says, in every form', async () => {
  const certificate = await runConformance(memory, { only: ['SES-10', 'META-03', 'CON-12'] })
  expect(shapeViolations(JSON.parse(JSON.stringify(certificate)))).toEqual([])
  expect(toMarkdown(certificate)).toContain('| SES-10 | core | pass |')
  expect(toBadge(certificate)).toContain('aria-label="daybook 1.0: incomplete"')
  expect(toBadge({ ...certificate, verdict: 'certified', level: 'core' })).toContain('daybook 1.0: core')
  expect(toJunit(certificate)).toContain(
    `<testsuite name="${memory.subject.name}" tests="${certificate.checks.length}"`,
  )
})

test('the findings carry neither clock nor machine', async () => {
  const { run: _run, ...findings } = await runConformance(memory, { only: ['SES-01'] })
  expect(JSON.stringify(findings)).not.toMatch(new RegExp(`${process.version}|20\\d\\d-\\d\\d-\\d\\d`))
})

test('a shape that is not a certificate’s is noticed', async () => {
  const certificate = await runConformance(memory, { only: ['SES-10'] })
  const { hash: _hash, ...unsealed } = certificate
  expect(shapeViolations(unsealed)).toEqual(['$.hash is missing'])
  expect(shapeViolations({ ...certificate, kind: 'nice' })).toEqual(['$.kind is nice'])
  expect(shapeViolations({ ...certificate, checks: null })).toEqual(['$.checks is null, not array'])
})

test('the schema knows everything that a place may lack and honour', async () => {
  const lacks: Record<Lack, true> = {
    roles: true,
    pool: true,
    schema: true,
    locks: true,
    network: true,
    storage: true,
    refusals: true,
    opening: true,
    chunks: true,
  }
  const honours: Record<Honoured, true> = {
    role: true,
    poolMax: true,
    onStatement: true,
    prefix: true,
    migrations: true,
  }
  const certificate = await runConformance(memory, { only: ['SES-10'] })
  const place = { lacks: Object.keys(lacks), honours: Object.keys(honours) }
  expect(shapeViolations({ ...certificate, place })).toEqual([])
})

test('secrets of URLs, settings and messages are redacted', () => {
  const redacted = redact({
    what: 'connect to postgres://bob:s3cret@db:5432/x failed',
    settings: { dsn: 'user=bob password=s3cret host=db', 'ssl.key': 'path' },
    list: ['libsql://h?authToken=s3cret&x=1', '{"password":"s3cret"}', 'mysql://root@127.0.0.1:3306/'],
    urls: ["mysql://bob:p@s3cret@db/x and 'pg://bob:p'@/s3cret@db/x'"],
  })
  expect(JSON.stringify(redacted)).not.toContain('s3cret')
  expect(redacted).toMatchObject({
    what: 'connect to postgres://bob:***@db:5432/x failed',
    settings: { dsn: 'user=bob password=*** host=db', 'ssl.key': 'path' },
    list: ['libsql://h?authToken=***&x=1', '{"password":"***"}', 'mysql://root@127.0.0.1:3306/'],
    urls: ["mysql://bob:***@db/x and 'pg://bob:***@db/x'"],
  })
})
