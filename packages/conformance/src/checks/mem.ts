import { check, type CheckOptions, type Checks } from '../check.ts'
import { addedAgain, batchesAreBounded, eventsOnce, sessionReplaces, racingSessions, racingEntries } from './mem-add.ts'
import { deletesExactly, sessionsLeave, wordsGoToo } from './mem-delete.ts'
import {
  anyLengthCounts,
  closeOnesAreTold,
  comparesWithinBounds,
  likenessIsChecked,
  likenessIsExact,
  otherLengthsAreLeftOut,
} from './mem-likeness.ts'
import { agreesWithReference } from './mem-model.ts'
import { keptAsGiven, readAfterWrite, inTransaction } from './mem-kept.ts'
import { exactTerm, nothingFound, severalTerms, signsAreNothing, wordsOfTheWorld, injected } from './mem-words.ts'
import { scoped } from './mem-scopes.ts'
import { limitAndOrder } from './mem-order.ts'
import { badInput } from './mem-refused.ts'

const memories: CheckOptions = { capability: 'memories' }
const search: CheckOptions = { capability: 'fullTextSearch' }

export const MEM: Checks = [
  check('MEM-01', 'a memory is found by each of its words, whatever it was given as', exactTerm, search),
  check('MEM-01', 'a memory comes back as it was given', keptAsGiven, { ...memories, variant: 'kept' }),
  check('MEM-02', 'nothing found is an empty answer', nothingFound, search),
  check('MEM-03', 'any word fits, and the score is the share of the query’s words', severalTerms, search),
  check('MEM-04', 'memories are found, read and listed in their own scope alone', scoped, search),
  check('MEM-05', 'signs part words, are no operators, and never an error', signsAreNothing, search),
  check('MEM-06', 'words of any script, emoji and identifiers, the same on every database', wordsOfTheWorld, search),
  check('MEM-07', 'the same again is a duplicate, and something else replaces it', addedAgain, memories),
  check('MEM-07', 'a session’s memories are those of its events', sessionReplaces, { ...memories, variant: 'session' }),
  check('MEM-07', 'the same event is remembered once', eventsOnce, { ...memories, variant: 'events' }),
  check('MEM-07', 'of racing adds of one entry one adds it', racingEntries, {
    ...memories,
    variant: 'race',
    engine: 'race',
    budgetMs: 60_000,
  }),
  check('MEM-07', 'racing adds of one session leave it whole and once', racingSessions, {
    ...memories,
    variant: 'session-race',
    engine: 'race',
    budgetMs: 60_000,
  }),
  check('MEM-08', 'by likeness: exact, with stable ties, and fused with words', likenessIsExact, {
    capability: 'vectorSearch',
  }),
  check('MEM-08', 'an embedding of another length, of no number or no direction is refused', likenessIsChecked, {
    capability: 'vectorSearch',
    variant: 'checked',
  }),
  check('MEM-08', 'by likeness: what a float of 32 bits cannot tell apart is in its order', closeOnesAreTold, {
    capability: 'vectorSearch',
    variant: 'close',
  }),
  check('MEM-08', 'by likeness: only the direction counts, however long or short', anyLengthCounts, {
    capability: 'vectorSearch',
    variant: 'length',
  }),
  check('MEM-08', 'embeddings of another number of dimensions are left out', otherLengthsAreLeftOut, {
    capability: 'vectorSearch',
    variant: 'dimensions',
  }),
  check(
    'MEM-08',
    'as many as limits.embeddingsCompared says are compared, and more are refused',
    comparesWithinBounds,
    {
      capability: 'vectorSearch',
      variant: 'bound',
    },
  ),
  check('MEM-09', 'limit, total order, and lists by pages', limitAndOrder, search),
  check('MEM-10', 'delete takes what it names, and nothing else', deletesExactly, memories),
  check('MEM-10', 'deleting a session leaves its memories; erase takes those of the user', sessionsLeave, {
    ...memories,
    variant: 'sources',
  }),
  check('MEM-10', 'what goes takes along what it was found by', wordsGoToo, {
    ...memories,
    variant: 'words',
    engine: 'whitebox',
    alone: true, // what is counted is of any app
    needs: ['oracle'],
  }),
  check('MEM-11', 'what was added is found at once, and what was deleted is not', readAfterWrite, search),
  check('MEM-12', 'text and queries are literal, whatever they look like', injected, search),
  check('MEM-13', 'random memories and queries agree with a reference that has no tokeniser', agreesWithReference, {
    ...search,
    engine: 'model',
    budgetMs: 120_000,
  }),
  check('MEM-14', 'inside the caller’s transaction its own memories are found; a rollback takes them', inTransaction, {
    capability: 'callerTransaction',
    needs: ['transaction'],
  }),
  check('MEM-15', 'bad input is refused before anything is written, naming the entry', badInput, memories),
  check('MEM-15', 'a batch is bounded, and at the bound it is kept', batchesAreBounded, {
    ...memories,
    variant: 'limits',
  }),
]
