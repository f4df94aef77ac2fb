export { libsqlWire } from './libsql.ts'
export { mysqlWire } from './mysql.ts'
export { postgresWire } from './postgres.ts'
