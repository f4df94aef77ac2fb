import { certifies, certifiesCore } from '../../../tools/servers/certifies.ts'
import { missingServer } from '../../../tools/servers/found.ts'
import { subjects } from './subjects.ts'

for (const name of ['pg', 'pg-postgres-js'] as const) certifies(name, subjects[name], missingServer('pg'))
certifiesCore('pg-codec', subjects['pg-codec'], missingServer('pg'))
certifies('pg-pglite', subjects['pg-pglite'])
