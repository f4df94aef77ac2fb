// The contract.
export type {
  Store,
  JoinedStore,
  StoreOptions,
  IndexedType,
  MigrateOptions,
  MigrationReport,
  Health,
  HealthOptions,
  ErasureReceipt,
  Logger,
} from './store.ts'
export type {
  ComparisonOperator,
  ForkOptions,
  GetSessionOptions,
  LoadedSession,
  NewSession,
  PruneQuery,
  PruneReport,
  Scalar,
  Session,
  SessionFilter,
  SessionKey,
  SessionQuery,
  SessionStore,
  SessionSummary,
  State,
  StateChange,
  StateCondition,
  StatePath,
  UpdateOptions,
  UserKey,
} from './sessions.ts'
export type {
  AgentEvent,
  AppendOptions,
  AppendResult,
  EventActions,
  EventFilter,
  EventQuery,
  EventStore,
  StoredEvent,
  TailOptions,
} from './events.ts'
export { leaseTtl, type Lease, type LeaseOptions, type LeaseToken } from './lease.ts'
export type { ScopedState, StateKey, StateStore } from './state.ts'
export type {
  AddedMemories,
  AddedMemory,
  FoundMemory,
  Memory,
  MemoryDeletion,
  MemoryDeletionReport,
  MemoryListQuery,
  MemoryQuery,
  MemoryScope,
  MemorySource,
  MemoryStore,
  NewMemory,
} from './memories.ts'
export type {
  Metric,
  MetricOperationType,
  MetricStatus,
  MetricStore,
  NewMetric,
  RecordedMetrics,
  RecordMetricsOptions,
} from './metrics.ts'
export type {
  MetricFilter,
  MetricNumberMember,
  MetricOrder,
  MetricPruneQuery,
  MetricPruneReport,
  MetricQuery,
  MetricSelection,
  MetricTextMember,
  MoneyRange,
  NumberRange,
} from './metric-query.ts'
export type {
  AttributeDimension,
  MeasuredMember,
  MeasureValue,
  MetricAggregateQuery,
  MetricBucket,
  MetricDimension,
  MetricGroup,
  MetricMeasure,
  MetricMeasures,
  MoneyAmount,
  TokenMember,
} from './metric-aggregate.ts'
export type {
  Artifact,
  ArtifactContent,
  ArtifactKey,
  ArtifactPruneQuery,
  ArtifactPruneReport,
  ArtifactQuery,
  ArtifactStore,
  ArtifactVersion,
  DeleteArtifactOptions,
  LoadedArtifact,
  LoadArtifactOptions,
  SavedArtifact,
  SaveArtifactOptions,
  StreamedArtifact,
  ArtifactSweepQuery,
  ArtifactSweepReport,
  ArtifactVersionQuery,
} from './artifacts.ts'
export type { CallOptions } from './call.ts'
export type { Page, PageOptions } from './page.ts'
export { abilities, facts, type Ability, type Capabilities, type Fact, type YesNo } from './capabilities.ts'
export { checkLimit, defaultLimits, type Limits } from './limits.ts'
export { errorCodes, isStoreError, StoreError, type ErrorCode, type ErrorFacts, type ErrorOptions } from './errors.ts'
export { createInMemoryDatabase, databaseText, type InMemoryDatabase } from './in-memory-database.ts'
export { createInMemoryStore, type InMemoryStore, type InMemoryStoreOptions } from './in-memory-store.ts'

// For those who write a store: the parts that are the same in every one.
export { areasOf, capabilitiesWith, optionalAreas, type Area, type OptionalAreas } from './areas.ts'
export {
  createDirectoryStorage,
  type ArtifactStorage,
  type StorageCall,
  type StoredObject,
} from './artifact-storage.ts'
export { artifactPiece, piecesOf, wholeContent, type ContentSum } from './artifact-content.ts'
export {
  artifactKeyOf,
  artifactListRequest,
  artifactPruneRequest,
  checkedArtifactContent,
  damagedArtifact,
  deleteArtifactRequest,
  deletedMeanwhile,
  isSameSave,
  loadArtifactRequest,
  otherContent,
  savedArtifact,
  saveArtifactRequest,
  sha256Of,
  artifactSweepRequest,
  artifactVersionsRequest,
  type ArtifactFacts,
  type ArtifactListRequest,
  type ArtifactPlace,
  type ArtifactPruneRequest,
  type DeleteArtifactRequest,
  type LoadArtifactRequest,
  type SaveArtifactRequest,
  type ArtifactSweepRequest,
  type ArtifactVersionsRequest,
} from './artifact-request.ts'
export { appendRequest, deltaOf, isSameEvent, type AppendRequest, type NewEvent } from './append-request.ts'
export {
  checkedChange,
  checkedChoice,
  checkedCount,
  checkedFlag,
  checkedId,
  checkedOptionalCount,
  checkedOptionalText,
  checkedOptions,
  checkedRecord,
  checkedSessionKey,
  checkedStateKey,
  checkedUserKey,
  checkStateBytes,
  largeState,
  warnOfLargeState,
  membersOf,
} from './arguments.ts'
export { createCalls, defaultTimeout, type Call, type Calls } from './calls.ts'
export { decodeCursor, encodeCursor, type Position } from './cursor.ts'
export {
  applyDelta,
  composeDeltas,
  emptyDelta,
  isEmptyDelta,
  mergedState,
  mergeInto,
  scopeOf,
  scopes,
  splitDelta,
  type Delta,
  type JsonDelta,
  type Scope,
} from './delta.ts'
export { createLeases, type LeaseGrant, type Leases, type LeaseWork } from './held-lease.ts'
export { uuidv7 } from './ids.ts'
export { unlessAborted, whenAborted, whenOver } from './when-aborted.ts'
export {
  byteLength,
  fromStorableJson,
  fromStorableText,
  isJsonObject,
  isStoredAsItIs,
  jsonEquals,
  toJson,
  toJsonObject,
  toStorableJson,
  toStorableText,
  type JsonBounds,
  type JsonObject,
  type JsonValue,
} from './json.ts'
export {
  eventListRequest,
  eventsOption,
  pageOf,
  sessionFilter,
  sessionListRequest,
  type CheckedEventFilter,
  type EventListRequest,
  type PageRequest,
  type SessionFilterRequest,
  type SessionListRequest,
} from './list-request.ts'
export {
  checkedLeaseToken,
  checkFree,
  checkHolder,
  leaseRequest,
  type LeaseRequest,
  type StoredLease,
} from './lease-request.ts'
export { statePathIndexRequest, withoutPathIndexes, type StatePathIndexRequest } from './state-path-index.ts'
export { checkedWhere, matchesState, type CheckedCondition } from './state-filter.ts'
export {
  endedLease,
  leasedSession,
  noSession,
  otherPayload,
  seqBeyondHead,
  sessionExists,
  staleSession,
  staleState,
  unsupported,
} from './refusals.ts'
export {
  checkedScope,
  entryOfEvent,
  memoryAddRequest,
  outcomesOf,
  type CheckedScope,
  type MemoryAddRequest,
  type MemoryContext,
  type MemoryEntry,
} from './memory-request.ts'
export {
  memoryDeleteRequest,
  memoryListRequest,
  memorySearchRequest,
  placesSearched,
  type MemoryDeleteRequest,
  type MemoryListRequest,
  type MemorySearchRequest,
} from './memory-query.ts'
export { hasParts, textOf } from './memory-text.ts'
export {
  entryNames,
  metricKey,
  metricRecordRequest,
  metricSchemaVersion,
  type MetricContext,
  type MetricEntry,
  type MetricRecordRequest,
} from './metric-request.ts'
export {
  heavyMembers,
  metricKinds,
  metricMembers,
  type MembersOfKind,
  type MetricKind,
  type MetricMember,
} from './metric-columns.ts'
export {
  metricPageOf,
  metricPruneRequest,
  metricQueryRequest,
  type MetricPruneRequest,
  type MetricQueryRequest,
  type MetricSelectionRequest,
} from './metric-query-request.ts'
export type { CheckedMetricWhere, MetricColumn, MetricValue, RangeOperator } from './metric-filter.ts'
export { metricOf, type MetricRow } from './metric-row.ts'
export { countedRows } from './metric-usage.ts'
export { selectedRows } from './metric-selection.ts'
export {
  metricAggregateRequest,
  type CheckedBucket,
  type CheckedDimension,
  type CheckedMeasure,
  type MetricAggregateRequest,
  type MetricPart,
} from './metric-aggregate-request.ts'
export { aggregatedRows } from './metric-aggregated-rows.ts'
export { bucketOf, groupPageOf, type FoundGroup, type GroupValue, type PartValue } from './metric-groups.ts'
export { fromMoneyUnits, moneyUnits } from './money.ts'
export { queryWords, searchWords } from './search-words.ts'
export { checkCompared, distanceSlack, fusedScores, likeness } from './embeddings.ts'
export { storeContext, storeOptionNames, type StoreContext } from './store-options.ts'
export { checkedTimestamp, fromMicros, lastTimestamp, toMicros } from './time.ts'
export {
  createRequest,
  forkRequest,
  pruneRequest,
  stateUpdateRequest,
  updateRequest,
  type CreateRequest,
  type ForkRequest,
  type PruneRequest,
  type SessionChange,
  type UpdateRequest,
} from './session-request.ts'
