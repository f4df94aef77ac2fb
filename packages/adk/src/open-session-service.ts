import { DaybookSessionService, type DaybookSessionServiceOptions } from './daybook-session-service.ts'
import { openStore, type OpenStoreOptions } from './open-store.ts'

export interface OpenSessionServiceOptions extends OpenStoreOptions, DaybookSessionServiceOptions {
  /**
   * An address as `DatabaseSessionService` takes it: `sqlite://agent.db`, `sqlite://:memory:`, `postgres://…`,
   * `postgresql://…`, `mysql://…`, `mariadb://…`; or `file:…` and `libsql://…`.
   */
  readonly url: string
}

/**
 * Opens the database that an address names, makes or upgrades our tables in it, and answers a service that closes it. The
 * package of that database is loaded now, and has to be installed. For options that only one database has, open the store
 * yourself: `new DaybookSessionService(() => openPgStore({ … }))`.
 *
 * @throws `unsupported` naming what to install · `unavailable` when the database cannot be reached
 *
 * @example
 * ```ts
 * import { openSessionService } from '@daybook/adk'
 *
 * await using sessionService = await openSessionService('sqlite://:memory:')
 * const session = await sessionService.createSession({ appName: 'shop', userId: 'ann', sessionId: 's1' })
 * console.log(session.id) // s1
 * ```
 */
export async function openSessionService(
  urlOrOptions: string | OpenSessionServiceOptions,
): Promise<DaybookSessionService> {
  const service = sessionServiceFor(typeof urlOrOptions === 'string' ? { url: urlOrOptions } : urlOrOptions)
  await service.init()
  return service
}

/** A service that opens its database when it is first needed. */
export const sessionServiceFor = ({ url, onStale, ...options }: OpenSessionServiceOptions): DaybookSessionService =>
  new DaybookSessionService(() => openStore(url, options), onStale && { onStale })
