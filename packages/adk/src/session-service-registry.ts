import { getSessionServiceFromUri as adkSessionServiceFromUri, type BaseSessionService } from '@google/adk'
import { sessionServiceFor, type OpenSessionServiceOptions } from './open-session-service.ts'
import { isDatabaseUrl } from './open-store.ts'

/**
 * ADK's function of this name, whose list of services is closed in 2.0.0: Daybook where the address is one of a database, and
 * what ADK has for any other (`memory://`, `agentengine://…`). The database is opened, and our tables made, by the first call.
 *
 * @example
 * ```ts
 * import { getSessionServiceFromUri } from '@daybook/adk'
 *
 * console.log(getSessionServiceFromUri('sqlite://agent.db').constructor.name) // DaybookSessionService
 * console.log(getSessionServiceFromUri('memory://').constructor.name) // InMemorySessionService
 * ```
 */
export const getSessionServiceFromUri = (
  uri: string,
  options: Omit<OpenSessionServiceOptions, 'url'> = {},
): BaseSessionService =>
  isDatabaseUrl(uri) ? sessionServiceFor({ ...options, url: uri }) : adkSessionServiceFromUri(uri)
