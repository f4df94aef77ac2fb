import { certifies, certifiesCore } from '../../../tools/servers/certifies.ts'
import { isRequired } from '../../../tools/servers/required.ts'
import { driverNames, missingDrivers, variantNames } from './drivers.ts'
import { serverProblem } from './sqld.ts'
import { subjects } from './subjects.ts'

for (const name of driverNames) certifies(name, subjects[name], missingDrivers[name])
for (const name of variantNames) certifiesCore(name, subjects[name])

const untimely = isRequired('libsql-server')
  ? undefined
  : 'takes two minutes over a server; DAYBOOK_REQUIRE=libsql-server runs it'
certifies('libsql-server', subjects['libsql-server'], serverProblem ?? untimely)
