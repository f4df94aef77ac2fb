import { inject } from 'vitest'
import { urlOfServer } from '../../../tools/servers/found.ts'

/** The database that this project of vitest runs the app on. */
export const backend = inject('backend')
export const serverUrl = backend === 'sqlite' ? undefined : urlOfServer(backend)
