import { certifies } from '../../../tools/servers/certifies.ts'
import { memory } from './memory-subject.ts'

certifies('memory', memory)
