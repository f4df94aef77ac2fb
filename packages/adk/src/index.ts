export {
  DaybookSessionService,
  type DaybookSessionServiceOptions,
  type LeaseSessionRequest,
} from './daybook-session-service.ts'
export { openSessionService, type OpenSessionServiceOptions } from './open-session-service.ts'
export { getSessionServiceFromUri } from './session-service-registry.ts'
