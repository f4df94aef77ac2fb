import { check, type Checks } from '../check.ts'
import { chatWithTools } from './rwd-chat.ts'
import { resumesAfterCrash } from './rwd-crash.ts'
import { oneUserIsForgotten } from './rwd-erasure.ts'
import { threeAgents } from './rwd-hand-off.ts'
import { longSession } from './rwd-long-session.ts'

/** What agents do, from end to end: the promises that the other groups look at one by one have to hold together. */
export const RWD: Checks = [
  check(
    'RWD-01',
    'a chat with tools, by two workers, with repeats: every turn is there once, and state follows',
    chatWithTools,
  ),
  check('RWD-02', 'three agents hand a task over in branches: each sees its own, all see one history', threeAgents),
  check('RWD-03', 'a session of 10,000 events: batches in, the newest 50 out, all of it page by page', longSession, {
    budgetMs: 60_000,
  }),
  check(
    'RWD-04',
    'a task whose worker was killed is ended by another, by the same ids: nothing is lost or doubled',
    resumesAfterCrash,
    {
      engine: 'process',
      needs: ['worker'],
      capability: 'persistent',
      budgetMs: 60_000,
    },
  ),
  check('RWD-05', 'one user of many is forgotten, and nobody else', oneUserIsForgotten),
]
