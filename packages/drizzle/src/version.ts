import { createRequire } from 'node:module'

/** Version of this package; all packages of a release have the same one. */
export const { version } = createRequire(import.meta.url)('../package.json') as { version: string } // npm demands it
