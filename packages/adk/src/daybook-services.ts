import type { Store } from '@daybook/core'
import { DaybookArtifactService } from './daybook-artifact-service.ts'
import { DaybookMemoryService, type DaybookMemoryServiceOptions } from './daybook-memory-service.ts'
import { DaybookSessionService, type DaybookSessionServiceOptions } from './daybook-session-service.ts'

/** What a Runner of ADK takes, over one store. */
export interface DaybookServices extends AsyncDisposable {
  readonly sessionService: DaybookSessionService
  readonly artifactService: DaybookArtifactService
  readonly memoryService: DaybookMemoryService
}

export interface DaybookServicesOptions {
  readonly sessions?: DaybookSessionServiceOptions
  readonly memories?: DaybookMemoryServiceOptions
}

/**
 * ADK's three services over one Daybook store, to be spread into a Runner.
 *
 * @param store A store that is yours, or a function that opens one, as {@link DaybookSessionService} takes them.
 *
 * @example
 * ```ts
 * import { daybookServices } from '@daybook/adk'
 * import { createInMemoryStore } from '@daybook/core'
 * import { LlmAgent, Runner } from '@google/adk'
 *
 * await using services = daybookServices(createInMemoryStore())
 * const runner = new Runner({ appName: 'shop', agent: new LlmAgent({ name: 'clerk' }), ...services })
 * console.log(runner.memoryService === services.memoryService) // true
 * ```
 */
export function daybookServices(
  store: Store | (() => Promise<Store>),
  { sessions, memories }: DaybookServicesOptions = {},
): DaybookServices {
  const sessionService = new DaybookSessionService(store, sessions)
  return {
    sessionService,
    artifactService: new DaybookArtifactService(sessionService),
    memoryService: new DaybookMemoryService(sessionService, memories),
    // The others share what the first one has opened.
    [Symbol.asyncDispose]: () => sessionService.close(),
  }
}
