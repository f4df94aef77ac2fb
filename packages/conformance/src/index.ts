export { defineStoreUnderTest, SubjectError, contracts } from './define.ts'
export type {
  CallerTransaction,
  Deviation,
  Endpoint,
  ForeignObjects,
  Handle,
  HeldLock,
  Honoured,
  Lack,
  Leftovers,
  OpenOptions,
  Oracle,
  OwnMutant,
  OwnMutantId,
  Place,
  PlaceRequest,
  Seed,
  SentStatement,
  StatementPlan,
  ServerProcess,
  StorageFault,
  StoreInTrouble,
  StoreUnderTest,
  Worker,
  WorkerModule,
} from './define.ts'
export { runConformance, type RunOptions } from './run.ts'
export { exitCode, lastLine, verifyCertificate, type Certificate, type Findings } from './certificate.ts'
export { levels, type Level } from './check.ts'
export type { Verdict } from './verdict.ts'
export { phases, type Phase, type Wire, type WireReader } from './wire.ts'
