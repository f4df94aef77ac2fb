import { certifies, certifiesCore } from '../../../tools/servers/certifies.ts'
import { isRequired } from '../../../tools/servers/required.ts'
import { driverNames, missingDrivers } from './drivers.ts'
import { serverProblem } from './sqld.ts'
import { subjects } from './subjects.ts'

for (const name of driverNames) certifies(name, subjects[name], missingDrivers[name])
certifiesCore('sqlite-codec', subjects['sqlite-codec'])
// What its mutants would show, those of sqlite have shown: they are wrappers around the same engine.
certifies('sqlite-worker', subjects['sqlite-worker'], undefined, false)

const untimely = isRequired('libsql-server')
  ? undefined
  : 'takes two minutes over a server; DAYBOOK_REQUIRE=libsql-server runs it'
certifies('libsql-server', subjects['libsql-server'], serverProblem ?? untimely)
