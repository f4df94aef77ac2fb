import { afterAll, beforeAll, describe, it } from 'vitest'
import { conformance } from '@daybook/conformance/vitest'
import subject from './json-files.conformance.ts'

// Level core is what it claims: one process at a time has no races to show.
conformance(subject, { describe, it, beforeAll, afterAll }, { level: 'core' })
