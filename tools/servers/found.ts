/** A server that tests need, by the name of its backend. */
export type ServerBackend = 'pg' | 'mariadb' | 'mysql'

/** What the search for a server came to. */
export type Found =
  | {
      readonly url: string
      /** What it says it is, such as `MariaDB 10.11.14`. */
      readonly product: string
      /** Where it was found, as part of a sentence. */
      readonly place: string
    }
  | { readonly missing: string }

declare module 'vitest' {
  interface ProvidedContext {
    /** The database that this project of vitest runs its tests on. */
    readonly backend: 'sqlite' | ServerBackend
    /** For a project that needs several. */
    readonly backends: readonly ServerBackend[]
  }
}

const variable = 'DAYBOOK_FOUND'

/** What was looked for in this run so far. In the environment, so that every process of the run knows it. */
export const allFound = (): Readonly<Partial<Record<ServerBackend, Found>>> =>
  JSON.parse(process.env[variable] ?? '{}') as Partial<Record<ServerBackend, Found>> // what keep wrote

export function keep(backend: ServerBackend, found: Found): void {
  process.env[variable] = JSON.stringify({ ...allFound(), [backend]: found })
}

/** What was found for a backend. */
const foundServer = (backend: ServerBackend): Found =>
  allFound()[backend] ?? { missing: `nobody looked for ${backend}: its project of vitest lacks tools/servers/setup.ts` }

/** The address of a backend's server, or `undefined`. */
export function urlOfServer(backend: ServerBackend): string | undefined {
  const found = foundServer(backend)
  return 'url' in found ? found.url : undefined
}

/** Why a backend has no server, or `undefined`. */
export function missingServer(backend: ServerBackend): string | undefined {
  const found = foundServer(backend)
  return 'missing' in found ? found.missing : undefined
}
