export {
  DaybookSessionService,
  type DaybookSessionServiceOptions,
  type LeaseSessionRequest,
} from './daybook-session-service.ts'
export { DaybookArtifactService } from './daybook-artifact-service.ts'
export {
  DaybookMemoryService,
  type AddEventsToMemoryRequest,
  type AddMemoryRequest,
  type DaybookMemoryServiceOptions,
} from './daybook-memory-service.ts'
export { daybookServices, type DaybookServices, type DaybookServicesOptions } from './daybook-services.ts'
export { openSessionService, type OpenSessionServiceOptions } from './open-session-service.ts'
export { getSessionServiceFromUri } from './session-service-registry.ts'
export { importFromAdk, type AdkImportOptions } from './import-from-adk.ts'
export type {
  AdkImportReport,
  ImportCounts,
  ImportedSession,
  ImportProgress,
  NotTaken,
  NotTakenReason,
  SessionOutcome,
} from './import-report.ts'
export type { SourceFlavour, SourceHandle, SourceQuery, SourceRow } from './sources/source.ts'
