export { DaybookSessionService, type DaybookSessionServiceOptions } from './daybook-session-service.ts'
