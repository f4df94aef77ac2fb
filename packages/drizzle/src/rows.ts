import type { JsonObject, JsonValue } from '@daybook/core'
import type { Column, Table } from 'drizzle-orm'

// What is stored. Times are timestamps as in the contract (milliseconds, the fraction carries microseconds); the column
// holds whole microseconds. Texts and JSON are in the storable form of core's json.ts.

export interface SessionRow {
  /** Internal: it never leaves the store. */
  sid: number
  appName: string
  userId: string
  sessionId: string
  state: JsonObject
  /** The state given at creation, written once, for `fork` and `stateAt`. */
  initialState: JsonObject
  revision: number
  lastSeq: number
  createdAt: number
  updatedAt: number
  lastEventAt: number
  /** Who holds the session, or held it last: absent when that lease was released. */
  leaseOwner: string | null
  /** Of the last lease, also after its release. */
  leaseFence: number | null
  leaseUntil: number | null
}

export interface EventRow {
  sid: number
  seq: number
  eventId: string
  invocationId: string | null
  author: string | null
  branch: string | null
  errorCode: string | null
  timestamp: number
  /** The whole event. */
  payload: JsonObject
}

export interface AppStateRow {
  appName: string
  state: JsonObject
  revision: number
  updatedAt: number
}

export interface UserStateRow extends AppStateRow {
  userId: string
}

/** A name, with the number that its next version gets. */
export interface ArtifactRow {
  /** Internal: it never leaves the store. */
  aid: number
  appName: string
  userId: string
  /** Empty for a name of the user. */
  sessionId: string
  name: string
  nextVersion: number
}

export interface ArtifactVersionRow {
  aid: number
  version: number
  saveId: string
  /** Under which its bytes are kept. A UUIDv7, whose time is that of the save. */
  uploadId: string
  /** How many pieces the bytes have. Absent where they are not in the database. */
  chunks: number | null
  size: number
  /** Of the bytes as they were given. Absent where a codec wrote them: then it is among the metadata. */
  sha256: string | null
  mimeType: string | null
  /** As a codec wrote them where `codec` is there. */
  metadata: JsonObject
  /** Which one wrote bytes and metadata. */
  codec: string | null
  createdAt: number
}

/** A piece of the bytes of a version, or of one that is still being saved. */
export interface ArtifactChunkRow {
  appName: string
  userId: string
  uploadId: string
  /** 0, 1, 2 … */
  n: number
  bytes: Uint8Array
}

export interface MemoryRow {
  /** Internal: it never leaves the store. */
  mid: number
  appName: string
  /** Empty: of the app itself. */
  userId: string
  memoryId: string
  /** Where it comes from; nothing says that it is still there. */
  sessionId: string | null
  eventId: string | null
  author: string | null
  timestamp: number
  /** `content`, `text` and `metadata`, as far as they were given. */
  payload: JsonObject
  /** Tells whether another entry says the same. */
  digest: string
  /** Scaled: only its direction counts. */
  embedding: Float32Array | null
  createdAt: number
  updatedAt: number
}

/** A word of a memory, as a hash of it and whose it is. */
export interface MemoryWordRow {
  word: number
  mid: number
}

/** A call of a model or a tool, or a span. `null`: nobody said. */
export interface MetricRow {
  /** In the order of insertion; a cursor never leaves the store without its query. */
  position: number
  appName: string
  traceId: string
  spanId: string
  /** Nothing says that it is there: children end first. */
  parentSpanId: string | null
  /** The conversation it belongs to, as far as there is one; nothing says that it is still there. */
  userId: string | null
  sessionId: string | null
  eventId: string | null
  invocationId: string | null
  agentName: string | null
  operationName: string
  operationType: string
  provider: string | null
  requestModel: string | null
  model: string | null
  responseId: string | null
  finishReason: string | null
  status: string
  errorType: string | null
  error: string | null
  startedAt: number
  endedAt: number | null
  /** Whole microseconds, as in {@link MetricRow.firstChunkUs}: their sums are the same everywhere. */
  durationUs: number | null
  firstChunkUs: number | null
  textCharCount: number | null
  textWordCount: number | null
  textByteSize: number | null
  textLineCount: number | null
  textCustomMetrics: JsonObject | null
  imageCount: number | null
  imageTotalPixels: number | null
  imageFileSizeBytes: number | null
  imageWidth: number | null
  imageHeight: number | null
  imageFormat: string | null
  imageCustomMetrics: JsonObject | null
  /** With those of the cache; the output with those of reasoning. */
  inputTokens: number | null
  outputTokens: number | null
  totalTokens: number | null
  cacheReadTokens: number | null
  cacheWriteTokens: number | null
  reasoningTokens: number | null
  usageSource: string | null
  /** 0: the call itself. In a trace the rows of the lowest one count. */
  usageLevel: number | null
  /** An exact decimal with 12 places. */
  providedCost: string | null
  computedCost: string | null
  currency: string | null
  priceId: string | null
  costDetail: JsonObject | null
  environment: string | null
  release: string | null
  tags: readonly string[] | null
  customAttributes: JsonObject | null
  content: NonNullable<JsonValue> | null
  schemaVersion: number
  recordedAt: number
}

export interface MigrationRow {
  id: string
  name: string
  checksum: string
  appliedAt: number
  /** Version of the package that applied it. */
  version: string
}

/** What the engine needs from a dialect's table: every column by name, each with the row's type. */
export type TableOf<Row> = Table & {
  readonly [K in keyof Row]-?: Column & {
    readonly _: { readonly data: NonNullable<Row[K]>; readonly notNull: null extends Row[K] ? false : true }
  }
}

/** A schema that lacks a column, or has one of another type or nullability, does not compile. */
export interface Tables {
  readonly sessions: TableOf<SessionRow>
  readonly events: TableOf<EventRow>
  readonly appStates: TableOf<AppStateRow>
  readonly userStates: TableOf<UserStateRow>
  readonly artifacts: TableOf<ArtifactRow>
  readonly artifactVersions: TableOf<ArtifactVersionRow>
  readonly artifactChunks: TableOf<ArtifactChunkRow>
  readonly memories: TableOf<MemoryRow>
  readonly memoryWords: TableOf<MemoryWordRow>
  readonly metrics: TableOf<MetricRow>
  readonly migrations: TableOf<MigrationRow>
}

export const tableNames = [
  'sessions',
  'events',
  'appStates',
  'userStates',
  'artifacts',
  'artifactVersions',
  'artifactChunks',
  'memories',
  'memoryWords',
  'metrics',
  'migrations',
] as const satisfies readonly (keyof Tables)[]
export type TableName = (typeof tableNames)[number]
