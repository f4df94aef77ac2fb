import { certifies, certifiesCore } from '../../../tools/servers/certifies.ts'
import { missingServer } from '../../../tools/servers/found.ts'
import { subjects } from './subjects.ts'

for (const name of ['pg', 'pg-postgres-js'] as const) certifies(name, subjects[name], missingServer('pg'))
certifiesCore('pg-codec', subjects['pg-codec'], missingServer('pg'))
// The mutants are of the engine and of PostgreSQL, and a server kills them many times faster.
certifies('pg-pglite', subjects['pg-pglite'], undefined, false)
