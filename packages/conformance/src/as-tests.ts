import { runConformance, type RunOptions } from './run.ts'
import type { Certificate } from './certificate.ts'
import { createPlan } from './plan.ts'
import type { StoreUnderTest } from './define.ts'

/** What is used of a test framework. Those of vitest fit as they are, and those of Jest in a line; `node:test` has a binding of its own. */
export interface TestFramework {
  describe(name: string, body: () => void): unknown
  it(name: string, body: (context: { skip(reason?: string): unknown }) => void): unknown
  beforeAll(body: () => Promise<void>, timeout?: number): unknown
  afterAll(body: () => Promise<void> | void): unknown
}

export interface TestOptions extends RunOptions {
  /** Is given the certificate when the run is over. */
  readonly certified?: (certificate: Certificate) => Promise<void>
}

/** Runs the suite as tests of the framework that is passed in: one test for each check. What is unproven or does not apply is skipped, with its reason. */
export function conformance(
  subject: StoreUnderTest,
  framework: TestFramework,
  { certified, ...options }: TestOptions = {},
): void {
  const plan = createPlan(options.level ?? 'concurrent', options.only)
  const lines: string[] = []
  framework.describe(`${subject.subject.name} keeps the contract`, () => {
    let certificate: Certificate | undefined
    framework.beforeAll(async () => {
      certificate = await runConformance(subject, { ...options, log: (line) => void lines.push(line) })
    }, 600_000)
    for (const { key, rule } of plan.checks) {
      framework.it(`${key} ${rule}`, (context) => {
        const result = certificate?.checks.find((one) => one.key === key)
        if (result === undefined) throw new Error(`${key} was not executed`)
        if (['unproven', 'deviation', 'inapplicable'].includes(result.verdict)) context.skip(result.what)
        else if (result.verdict === 'fail' || result.verdict === 'error')
          throw new Error(`${key}: ${result.what ?? ''}\nexpected: ${result.expected ?? ''}\ngot: ${result.got ?? ''}`)
      })
    }
    framework.afterAll(async () => {
      if (certificate !== undefined) await certified?.(certificate)
      const text = lines.filter((line) => /^(mutants|unproven|M\d)/.test(line)).join('\n')
      if (options.log === undefined) console.info(text)
      else options.log(text)
    })
  })
}
