export type {
  Append,
  Appended,
  Dialect,
  ErrorKind,
  EventValues,
  Failure,
  InsertAll,
  InsertNew,
  Loaded,
  LoadShape,
  Migration,
  NewSession,
  Params,
  Part,
  PoolState,
  Row,
  Server,
  Statement,
  StoredDelta,
  Tx,
  Value,
} from './dialect.ts'
export type { Expressions } from './expressions.ts'
export type { JsonAt, JsonPaths, PathIndexing, StatePathIndex } from './json-path.ts'
export type { Embeddings, MemorySearch, VectorDistance } from './search.ts'
export { bytesOfEmbedding, embeddingOfBytes } from './embedding-bytes.ts'
export { createEngine, createRemoteStore, type Backend, type Engine } from './create-store.ts'
export { operationsByName } from './methods.ts'
export type { Operation } from './operation.ts'
export type { Condition } from './health.ts'
export type { Look } from './tail.ts'
export type { Listening } from './listening.ts'
export {
  columnList,
  onConflict,
  replacedColumns,
  quoted,
  rowsWriter,
  usualStatementBytes,
  type ManyRows,
  type ManyRowsFacts,
  type RowsColumn,
  type RowsInsert,
  type RowValues,
} from './many-rows.ts'
export type { MetricFeed } from './metric-feed.ts'
export { describedIndex, type Catalog } from './schema-drift.ts'
export { joinedStore, joiningStore, type JoinedStore } from './joined-store.ts'
export { runTransaction, type Entered } from './run-transaction.ts'
export { applicationTransaction, type ApplicationTransaction, type TransactionOf } from './application-transaction.ts'
export { createTurns, type Turns } from './turns.ts'
export { parseServerUrl, type ServerUrl } from './server-url.ts'
export {
  checkedServer,
  serverOptionNames,
  serverTls,
  type CheckedServer,
  type ServerOptions,
} from './server-options.ts'
export { tlsOptionsOf, type Tls, type TlsOptions, type TlsSettings } from './tls.ts'
export { scriptStore, type ScriptStore } from './script-store.ts'
export { ensuringByInsert } from './ensure.ts'
export { appendParams } from './append-params.ts'
export { growthBy, isEmptyDelta } from './joint-append.ts'
export { causesOf, failureByCode } from './causes.ts'
export { readEarly, type ReadDocument } from './read-document.ts'
export { readLazily } from './lazy-read.ts'
export { checksumOf } from './migrate.ts'
export {
  tableNames,
  type AppStateRow,
  type ArtifactChunkRow,
  type ArtifactRow,
  type ArtifactVersionRow,
  type EventRow,
  type MemoryRow,
  type MemoryWordRow,
  type MetricRow,
  type MigrationRow,
  type SessionRow,
  type TableName,
  type TableOf,
  type Tables,
  type UserStateRow,
} from './rows.ts'
export { eventColumns, eventNames } from './event-columns.ts'
export { runAsync, runSync, step, type Script } from './script.ts'
export { storeErrorOf, type ServerPlace } from './errors.ts'
export { nodeErrorKinds } from './node-errors.ts'
export {
  assigned,
  bare,
  bound,
  compiler,
  insertInto,
  insertSelect,
  param,
  remembered,
  selected,
  variants,
  type Compiled,
} from './statements.ts'
export { tableNamesOf, withNames, type TableNameOptions } from './table-names.ts'
export { drizzleOptionNames, type DrizzleStoreOptions } from './options.ts'
export { checkedStorage } from './artifact-objects.ts'
export { checkedCodecs, type CodecContext, type PayloadCodec } from './payload-codec.ts'
export { createWriterQueue, type WriterQueue } from './writer-queue.ts'
