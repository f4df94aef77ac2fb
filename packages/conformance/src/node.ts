import { after, before, describe, it } from 'node:test'
import { conformance as asTests } from './as-tests.ts'
import type { StoreUnderTest } from './define.ts'
import type { RunOptions } from './run.ts'

const beforeAll = (body: () => Promise<void>, timeout = Infinity) => before(body, { timeout })

/** Runs the suite as tests of `node:test`: one test for each check, and what is unproven skipped with its reason. */
export function conformance(subject: StoreUnderTest, options: RunOptions = {}): void {
  asTests(subject, { describe, it, beforeAll, afterAll: after }, options)
}
