const known = [
  'memory',
  'json-files',
  'sqlite',
  'sqlite-codec',
  'sqlite-worker',
  'libsql-client',
  'better-sqlite3',
  'libsql-server',
  'pg',
  'pg-codec',
  'pg-postgres-js',
  'pg-pglite',
  'mariadb',
  'mysql',
] as const

export type BackendName = (typeof known)[number]

/** What must not be missing in this run: its tests fail then. Otherwise they are skipped and say why. */
export function isRequired(backend: BackendName): boolean {
  const names = (process.env['DAYBOOK_REQUIRE'] ?? '').split(',').map((name) => name.trim())
  const unknown = names.filter((name) => name !== '' && !known.some((one) => one === name))
  if (unknown.length > 0)
    throw new Error(`DAYBOOK_REQUIRE names ${unknown.join(', ')}; there is only ${known.join(', ')}`)
  return names.includes(backend)
}
