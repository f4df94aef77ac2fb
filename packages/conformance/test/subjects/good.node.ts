import { conformance } from '../../src/node.ts'
import { memory } from '../memory-subject.ts'

conformance(memory, { only: ['SES-01', 'SES-10', 'LIFE-08'] })
