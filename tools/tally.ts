import type { Reporter, SerializedError, TestModule } from 'vitest/node'
import { allFound } from './servers/found.ts'

/** Prints what was not tested, and the one line that machines read. */
export default class Tally implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const count = { passed: 0, failed: unhandledErrors.length, skipped: 0, pending: 0 }
    for (const module of modules) {
      // A hook that fails leaves its tests skipped.
      for (const suite of [module, ...module.children.allSuites()]) if (suite.errors().length > 0) count.failed++
      for (const test of module.children.allTests()) count[test.result().state]++
    }
    for (const [backend, found] of Object.entries(allFound()))
      if ('missing' in found) console.log(`NOT TESTED: ${backend}, for ${found.missing}`)
    console.log(`${count.passed} passed, ${count.failed} failed, ${count.skipped} skipped`)
  }
}
