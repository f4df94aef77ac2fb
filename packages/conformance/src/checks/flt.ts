import { check, type CheckOptions, type Checks } from '../check.ts'
import {
  cutBeforeCommit,
  cutEachTime,
  cutInCommit,
  cutInMidst,
  cutInRollback,
  filesAreCut,
  unknownNamesIds,
} from './flt-cut.ts'
import { batchesAreCut } from './flt-metrics.ts'
import { cutInWalk, goesSilent, idleConnectionsDie, refusesThenReturns, silenceEnds } from './flt-network.ts'
import { killedInMidAppend } from './flt-process.ts'
import { serverRestarts } from './flt-restart.ts'
import { damaged, storageFails } from './flt-storage.ts'

const line: CheckOptions = { engine: 'fault', needs: ['endpoint'], budgetMs: 60_000 }
const statements: CheckOptions = { ...line, needs: ['endpoint', 'wire'] }

const disk: CheckOptions = { engine: 'fault', needs: ['storage'], fresh: true, budgetMs: 60_000 }

export const FLT: Checks = [
  check(
    'FLT-01',
    'a connection lost before COMMIT is sent, at every statement of every write: there once by the engine’s repetition, or unavailable and nothing is there',
    cutBeforeCommit,
    statements,
  ),
  check(
    'FLT-01',
    'a connection lost in every attempt: unavailable within the bound, and nothing is there',
    cutEachTime,
    { ...statements, variant: 'each' },
  ),
  check(
    'FLT-02',
    'COMMIT lost, and its reply lost: outcome_unknown both times; the same call again, and it is there exactly once',
    cutInCommit,
    statements,
  ),
  check('FLT-02', 'outcome_unknown names the ids that the store made up', unknownNamesIds, {
    ...statements,
    variant: 'ids',
  }),
  check(
    'FLT-02',
    'a save or a delete of a file whose connection is lost: all of it or nothing, and the same call again makes it once',
    filesAreCut,
    { ...statements, capability: 'artifacts', variant: 'files', budgetMs: 120_000 },
  ),
  check(
    'FLT-02',
    'a batch of metrics whose connection is lost: all of it or nothing, and the same call again stores each row once',
    batchesAreCut,
    { ...statements, capability: 'metrics', variant: 'metrics', budgetMs: 120_000 },
  ),
  check(
    'FLT-03',
    'a connection lost in the middle of a statement or a batch: all of it or nothing',
    cutInMidst,
    statements,
  ),
  check(
    'FLT-04',
    'connections that died while idle: the next call succeeds, or ends with one retryable error',
    idleConnectionsDie,
    line,
  ),
  check(
    'FLT-05',
    'a connection that goes silent: the call ends within its time, and so does its hold on the pool',
    goesSilent,
    { ...statements, alone: true, waits: true },
  ),
  check('FLT-05', 'a network that goes silent: timeout and signal end the call, and it comes back', silenceEnds, {
    ...line,
    alone: true,
    waits: true,
    variant: 'network',
  }),
  check(
    'FLT-06',
    'a server that refuses and then returns: the store recovers without being opened again',
    refusesThenReturns,
    line,
  ),
  check(
    'FLT-07',
    'pages lost on their way: asked for again by their cursor, no gap and no repetition',
    cutInWalk,
    line,
  ),
  check(
    'FLT-08',
    'a process killed while it appends: what it had acknowledged is there, whole batches, seq and states consistent',
    killedInMidAppend,
    { engine: 'process', needs: ['worker'], capability: 'persistent', budgetMs: 180_000 },
  ),
  check(
    'FLT-10',
    'a connection lost at the rollback does not hide the error that led to it',
    cutInRollback,
    statements,
  ),
  check(
    'FLT-06',
    'the server is killed under writers and started again: what it acknowledged is there, and the stores go on',
    serverRestarts,
    { engine: 'fault', needs: ['server'], fresh: true, ownServer: true, variant: 'killed', budgetMs: 90_000 },
  ),
  check(
    'FLT-09',
    'a full disk: unavailable, nothing lost, and the same store goes on',
    (ctx) => storageFails(ctx, 'full'),
    disk,
  ),
  check(
    'FLT-09',
    'a read-only database: unavailable, readable, and the same store goes on',
    (ctx) => storageFails(ctx, 'readOnly'),
    { ...disk, variant: 'readOnly' },
  ),
  check('FLT-09', 'a damaged database is corrupt', damaged, {
    engine: 'fault',
    needs: ['openDamaged'],
    variant: 'damaged',
  }),
]
