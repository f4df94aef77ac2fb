import { certifies, certifiesCore } from '../../../tools/servers/certifies.ts'
import { missingServer } from '../../../tools/servers/found.ts'
import { subjects } from './subjects.ts'

certifies('pg', subjects.pg, missingServer('pg'))
certifiesCore('pg-codec', subjects['pg-codec'], missingServer('pg'))
// Their mutants are of the engine and of PostgreSQL, which the run before has broken already.
certifies('pg-postgres-js', subjects['pg-postgres-js'], missingServer('pg'), false)
certifies('pg-pglite', subjects['pg-pglite'], undefined, false)
