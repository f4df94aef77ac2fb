import { certifies } from '../../../tools/servers/certifies.ts'
import { missingServer } from '../../../tools/servers/found.ts'
import { backend } from './places.ts'
import { subjects } from './subjects.ts'

certifies(backend, subjects[backend], missingServer(backend))
