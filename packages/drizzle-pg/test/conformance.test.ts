import { certifies, certifiesCore } from '../../../tools/servers/certifies.ts'
import { missingServer } from '../../../tools/servers/found.ts'
import { subjects } from './subjects.ts'

certifies('pg', subjects.pg, missingServer('pg'))
certifiesCore('pg-codec', subjects['pg-codec'], missingServer('pg'))
