export { DaybookSessionService, type DaybookSessionServiceOptions } from './daybook-session-service.ts'
export { openSessionService, type OpenSessionServiceOptions } from './open-session-service.ts'
export { getSessionServiceFromUri } from './session-service-registry.ts'
