import { missingServer, type ServerBackend } from './found.ts'
import { isRequired } from './required.ts'

/** For `beforeEach`: skips a test whose backend has no server, and says why; where it is required, fails it. */
export const needsServer =
  (backend: ServerBackend) =>
  ({ skip }: { skip: (reason: string) => never }): void => {
    const missing = missingServer(backend)
    if (missing === undefined) return
    if (isRequired(backend)) throw new Error(`DAYBOOK_REQUIRE names ${backend}, but ${missing}`)
    skip(missing)
  }
