export { conformance, type TestFramework, type TestOptions } from './as-tests.ts'
