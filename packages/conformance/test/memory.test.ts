import { afterAll, beforeAll, describe, it } from 'vitest'
import { conformance } from '../src/vitest.ts'
import { memory } from './memory-subject.ts'

conformance(memory, { describe, it, beforeAll, afterAll })
