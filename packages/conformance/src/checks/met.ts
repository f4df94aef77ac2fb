import { check, type CheckOptions, type Checks } from '../check.ts'
import { agreesWithReference, knownAnswers } from './met-aggregate.ts'
import { completesRunning, idsByBytes, keepsTheFirst, racingBatches, replaces } from './met-duplicates.ts'
import { buckets, exactSums, groups, groupsInOrder } from './met-groups.ts'
import { prunesOfUser, prunesOldTraces } from './met-prune.ts'
import { cursorsAreBound, feedGoesOn, filters, literalTexts, orderKept, unpricedIsCounted } from './met-query.ts'
import { badRows, batchIsLoop, emptyBatch, endedTellsIds, keptAsGiven } from './met-record.ts'

const metrics: CheckOptions = { capability: 'metrics' }

export const MET: Checks = [
  check('MET-01', 'a batch leaves what its rows leave one by one', batchIsLoop, metrics),
  check(
    'MET-02',
    'rows come in the order asked for, to the microsecond, ties as they were recorded',
    orderKept,
    metrics,
  ),
  check('MET-02', 'a row comes back as it was given', keptAsGiven, { ...metrics, variant: 'kept' }),
  check('MET-02', 'the order of insertion goes on from its cursor, each row once', feedGoesOn, {
    ...metrics,
    variant: 'feed',
  }),
  check('MET-03', 'the same key again is a duplicate, and the first that ended stays', keepsTheFirst, metrics),
  check('MET-03', 'a running row is completed once, and reads as abandoned after an hour', completesRunning, {
    ...metrics,
    variant: 'running',
  }),
  check('MET-03', 'replacing keeps the place', replaces, { ...metrics, variant: 'replace' }),
  check('MET-03', 'keys are told apart by their bytes', idsByBytes, { ...metrics, variant: 'bytes' }),
  check('MET-04', 'one bad row: nothing is stored, and the error names it', badRows, metrics),
  check('MET-04', 'a batch that ran out of time names the ids that were made, for the rest of it', endedTellsIds, {
    ...metrics,
    variant: 'ended',
  }),
  check('MET-05', 'an empty batch does nothing', emptyBatch, metrics),
  check('MET-06', 'counts, sums, percentiles and costs of what is known, and of nothing', knownAnswers, metrics),
  check('MET-06', 'random rows in groups agree with a reference that counts them one by one', agreesWithReference, {
    ...metrics,
    variant: 'model',
    engine: 'model',
    budgetMs: 60_000,
  }),
  check('MET-07', 'spans of time: edges, other clocks, and those without rows', buckets, metrics),
  check('MET-08', 'groups by Unicode, by what is absent, by attributes and agents', groups, metrics),
  check('MET-08', 'groups in the order of a measure, page by page', groupsInOrder, { ...metrics, variant: 'order' }),
  check('MET-09', 'filters mean what they say, in their own app alone', filters, metrics),
  check('MET-09', 'a cursor is good for its own query alone, and bad queries are refused', cursorsAreBound, {
    ...metrics,
    variant: 'cursors',
  }),
  check('MET-09', 'texts are literal, whatever they look like', literalTexts, { ...metrics, variant: 'literal' }),
  check('MET-09', 'usage counts once, whatever repeats it', unpricedIsCounted, { ...metrics, variant: 'unpriced' }),
  check('MET-10', 'concurrent batches that overlap store each row once, and say so', racingBatches, {
    ...metrics,
    engine: 'race',
    budgetMs: 60_000,
  }),
  check('MET-11', 'prune takes whole traces that are old, in chunks, and nothing else', prunesOldTraces, metrics),
  check('MET-11', 'prune of a user or a session takes their rows alone', prunesOfUser, { ...metrics, variant: 'user' }),
  check('MET-12', 'sums are exact to the last place, beyond what an integer of 64 bits holds', exactSums, metrics),
]
