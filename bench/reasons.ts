// Why a goal is missed, where a run misses it: what was measured to find out. The figures are of one machine of two cores, which
// the server and the program shared: they say what the time goes to, and another machine has others.
import type { Run } from './result.ts'

interface Reason {
  readonly backends: readonly string[]
  readonly workloads: RegExp
  readonly contenders: RegExp
  readonly why: string
}

const reasons: readonly Reason[] = [
  {
    backends: ['sqlite'],
    workloads: /^W5$/,
    contenders: /^daybook/,
    why: 'the statement takes no longer than the limit’s through better-sqlite3 and 1.2 to 1.5 times as long through the libsql binding, which also prepares it anew in the client; the rest is that each row is checked and copied before any is written, 4 to 6 µs of CPU time, 1.4 of it JSON.stringify of its documents',
  },
  {
    backends: ['pg', 'mariadb', 'mysql'],
    workloads: /^W5$/,
    contenders: /^daybook/,
    why: 'each row is checked and copied before any is written, 4 to 6 µs of CPU time, 1.4 of it JSON.stringify of its documents, where the limit writes what it is given; keys that are there already are looked out for, and a chunk is a transaction; and mysql2 encodes some 30,000 parameters, which takes it as long as all that together',
  },
  {
    backends: ['pg'],
    workloads: /^W1$/,
    contenders: /^daybook-postgres-js$/,
    why: 'a transaction, statement by statement, on purpose: postgres.js does not tell when a statement leaves its queue, and a session must not be made after its caller was told that there was no time for it',
  },
  {
    backends: ['pg'],
    workloads: /^W1$/,
    contenders: /^daybook/,
    why: 'the server spends 182 µs of CPU time on the statement, on that of the limit 163; the rest is JavaScript: a call spends 467 µs of it, the limit on the same driver 261, which neither checks and copies its arguments nor makes its answer anew nor has a timeout',
  },
  {
    backends: ['pg'],
    workloads: /^W2$|-append/,
    contenders: /^daybook/,
    why: 'the server spends 280 µs of CPU time on the statement, on that of the limit 231: the bounds of states, the lease, the wait for locks and the tails are what it has besides, 5 to 15 µs each when they are taken away one by one, and 44 all together; the rest is JavaScript: a call spends 461 µs of it, the limit on the same driver 250, which neither checks and copies its arguments nor has a timeout',
  },
  {
    backends: ['pg', 'mariadb', 'mysql'],
    workloads: /^W6a$/,
    contenders: /^daybook/,
    why: 'one process makes all calls, and the server needs the same cores. Among sixteen an append takes 125 to 180 µs of CPU time in the process and 140 to 210 in PostgreSQL, the limit’s 94 to 138 and 280 (MySQL: 327 and 526, the limit’s 248 and 1,140; MariaDB: 256 and 256, the limit’s 205 and 507). What is left is the JavaScript of each call, and those that find fewer than two under way and go by themselves',
  },
  {
    backends: ['pg', 'mariadb', 'mysql'],
    workloads: /^W6b$/,
    contenders: /^daybook/,
    why: 'the group is one statement; what is left is the JavaScript of each call, 152 to 184 µs of its core on PostgreSQL, with the server on the other one',
  },
  {
    backends: ['mariadb', 'mysql'],
    workloads: /^W3$/,
    contenders: /^daybook/,
    why: 'the statement takes 1.1 to 1.2 times as long as the limit’s (p10, alone): it is a union of the session and its events, so that no document comes twice, and brings the ids of events too. Fewer columns make it as fast as the limit’s, and the whole call no faster, since they are parted in JavaScript then; nor do rows as arrays. Of the rest JSON.parse takes 84 µs, which the limit spends too, to make the events anew, and to check what is asked',
  },
  {
    backends: ['mariadb', 'mysql'],
    workloads: /^W4b$/,
    contenders: /^daybook/,
    why: 'the statement takes 1.08 times as long as the limit’s (p10, alone), with times as numbers; the rest, 0.1 ms beside 0.25, is JavaScript: 178 µs of CPU time beside 87 of the statement by itself in the driver. Rows become sessions, which the limit leaves as they are, a cursor is sealed, and a call has a frame; rows as arrays, or their numbers as one text, bring nothing',
  },
  {
    backends: ['pg', 'mariadb', 'mysql'],
    workloads: /^W4/,
    contenders: /^daybook/,
    why: 'rows become sessions, with times that are exact, and a cursor is sealed; the limit leaves its rows as they are',
  },
  {
    backends: ['mariadb'],
    workloads: /^W1$/,
    contenders: /^daybook/,
    why: 'the limit answers with subselects of the INSERT, which wait for whoever is just changing the state of that user, up to a timeout; a creation here locks nothing of it and takes 0.45 ms as a statement where the limit’s takes 0.38 (p50, alone). JavaScript takes 0.14: arguments are checked and copied, answers are made anew, and a call has a timeout',
  },
  {
    backends: ['pg', 'mariadb'],
    workloads: /./,
    contenders: /^daybook/,
    why: 'the statement takes no longer than the limit’s; the rest is JavaScript: arguments are checked and copied, answers are made anew, and a call has a timeout',
  },
  {
    backends: ['mysql'],
    workloads: /^W[12]$|-append/,
    contenders: /^daybook/,
    why: 'the limit has stored procedures, which a migration may lack the right to make: an append is four round trips here, a creation two. Of an append (p50) BEGIN takes 0.12 ms, the UPDATE 0.46, the INSERT 0.35, COMMIT 1.4, JavaScript between them 0.04; fewer would leave a write of a session behind that lost its transaction, or the next reader of the connection an old view',
  },
  {
    backends: ['sqlite'],
    workloads: /./,
    contenders: /^daybook-libsql-client$/,
    why: 'the client prepares every statement anew, asks twice for its columns, and throws and catches an error for each statement without rows. Without fsync (p10) BEGIN and COMMIT take 45 µs of an append, its three statements 32 + 45, 19 + 25 and 34 + 28 (to prepare + to run), where the limit’s take 23 + 35, 17 + 16 and 27 + 15 in the client; to try the lock before each write takes 6, since a statement that met SQLITE_BUSY leaves the client’s connection acknowledging writes that are lost. Of a page of sessions with states 55 are to prepare, 112 to read and 130 to parse',
  },
  {
    backends: ['sqlite'],
    workloads: /^W2$/,
    contenders: /^daybook/,
    why: 'without fsync an append takes 89 µs through better-sqlite3 (p10), of which its statements take 23, through the libsql binding 34, and COMMIT 13: what is left is the copy and check of the event, its delta in three scopes, and the promises of a call; after each fsync the same statements find cold caches and take 84 and 99',
  },
  {
    backends: ['sqlite'],
    workloads: /^W6b$/,
    contenders: /^daybook/,
    why: 'all appends share commits, which saves the fsync; what is left is the thread, which does the JavaScript of each call and the work of the database',
  },
  {
    backends: ['sqlite'],
    workloads: /./,
    contenders: /^daybook/,
    why: 'everything is done by one thread in 0.1 to 0.4 ms, so what the limit does not do shows. Without fsync W1 takes 74 µs through better-sqlite3 and 93 through the libsql binding, the limit 41 (p10): the state is checked and copied before it is written; after each fsync the same code finds cold caches and takes two to three times as long, so more of it costs more than it says. W3 takes 196 and 235, the limit 183, of which 110 are one JSON.parse in all; a page with states 326 and 395, the limit 306, of which 132 are JSON.parse in all; W4b 85 and 90, the limit 82. What is left is the frame of a call: 6 µs when it is warm, about 40 in a process that has done other things meanwhile. The libsql binding takes 3 µs for what better-sqlite3 does in 1',
  },
]

/** Why not even the limit leads ADK's own service by more: what both have to do. */
const leadReasons: readonly Omit<Reason, 'contenders'>[] = [
  {
    backends: ['pg'],
    workloads: /^W1$/,
    why: 'ADK’s own makes 6 round trips of 0.05 ms, and one commit as all do, the smallest of which takes 0.23 ms',
  },
  {
    backends: ['mysql'],
    workloads: /^W1$/,
    why: 'ADK’s own makes 6 round trips of 0.05 ms, and one commit as all do, the smallest of which takes 0.50 ms',
  },
  {
    backends: ['pg'],
    workloads: /^W2$|^W6|-append/,
    why: 'ADK’s own makes 12 round trips of 0.05 ms in two transactions, each with a commit as all make one, the smallest of which takes 0.23 ms',
  },
  {
    backends: ['mysql'],
    workloads: /^W2$|^W6|-append/,
    why: 'ADK’s own makes 12 or 13 round trips of 0.05 ms in two transactions, each with a commit as all make one, the smallest of which takes 0.50 ms',
  },
  {
    backends: ['pg', 'mysql'],
    workloads: /^W4|^W7-list/,
    why: 'ADK’s own makes 4 round trips of 0.05 ms; the 50 sessions are read and parsed by all',
  },
  {
    backends: ['pg', 'mysql'],
    workloads: /^W3$|^W7-load/,
    why: 'ADK’s own makes 4 round trips of 0.05 ms; the 50 events are read and parsed by all',
  },
  {
    backends: ['pg', 'sqlite'],
    workloads: /^W10-load$/,
    why: 'to parse 10,000 events takes 35 to 47 ms, whoever does it',
  },
]

/** Of what takes longer among more rows; with what the limit took of that. */
export function growthReasonOf({ backend, part }: Run, kind: string, ownGrowth: number): string {
  const isBeyondMemory = part === 'growth' && kind !== 'append' && /^(mariadb|mysql)$/.test(backend)
  const memory =
    'the events are more than a gigabyte, and the server keeps 128 MB in memory: pages of a random session come from the disk; '
  return `${isBeyondMemory ? memory : ''}the limit itself: ${ownGrowth.toFixed(2)}`
}

/** Of the lead that one should have over ADK's own service, which is missed by the distance to the limit. */
export function leadReasonOf(run: Run, workload: string, contender: string): string | undefined {
  const known = leadReasons.find((one) => one.backends.includes(run.backend) && one.workloads.test(workload))
  const distance = reasonOf(run, workload, contender)
  const toLimit = distance === undefined ? undefined : `to the limit: ${distance}`
  const told = [known?.why, toLimit].filter((part) => part !== undefined)
  return told.length === 0 ? undefined : told.join('; ')
}

/** Of a goal of one contender in one workload; with what the limit itself takes on the same driver. */
export function reasonOf({ backend, contenders, lines }: Run, workload: string, contender: string): string | undefined {
  const known = reasons.find(
    (reason) =>
      reason.backends.includes(backend) && reason.workloads.test(workload) && reason.contenders.test(contender),
  )
  const driver = contenders.find(({ name }) => name === contender)?.driver
  const same = contenders.find((one) => /^limit-(?!normal)/.test(one.name) && one.driver === driver)
  const ratio = lines.find((line) => line.workload === workload && line.contender === same?.name)?.ratio
  const floor = same && ratio !== undefined ? `${same.name} itself: ${ratio.toFixed(2)}` : undefined
  const told = [known?.why, floor].filter((part) => part !== undefined)
  return told.length === 0 ? undefined : told.join('; ')
}
