export { conformance, type TestFramework } from './as-tests.ts'
