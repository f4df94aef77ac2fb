import type { Call } from '@daybook/core'
import {
  remembered,
  variants,
  type Append,
  type Appended,
  type Dialect,
  type LoadShape,
  type Params,
  type Row,
  type Statement,
} from '@daybook/drizzle'
import { acrossBounds, acrossSessions, leastPacket } from './append-across.ts'
import { shaped, type Shaped } from './append-shape.ts'
import { appendedBy, buildBlock, buildSteps, insertedBy, sizesIn } from './append.ts'
import type { Connections } from './connections.ts'
import { runBlock, runText, type Connection } from './driver.ts'
import { checkViolations, notPreparable } from './errors.ts'
import { buildLoad, loadedBy } from './load.ts'
import { buildInsert, buildSessionBlock, buildStates, isAlone, shapedSession } from './new-session.ts'
import type { Probe } from './probe.ts'
import type { DaybookTables } from './schema.ts'
import { compiled, rolledBack, rowsOn, runOn } from './transactions.ts'

interface Parts {
  readonly tables: DaybookTables
  readonly connections: Connections
  readonly server: Probe
  readonly failures: Dialect['failureOf']
}

type HotPath = Required<Pick<Dialect, 'appendEvents' | 'createSession' | 'loadSession' | 'loadWithin'>> &
  Pick<Dialect, 'across'>

/** The verbs that have statements of their own, which the server keeps prepared. */
export function hotPath({ tables, connections, server, failures }: Parts): HotPath {
  const loadFor = remembered((shape: LoadShape) => buildLoad(shape))
  const stepsFor = variants((variant) => buildSteps(tables, variant))
  const blockFor = variants((variant) => buildBlock(tables, variant))
  let takesBlocks = server.takesBlocks

  const sessionBlockFor = variants((variant) => buildSessionBlock(tables, variant))
  const insertSession = buildInsert(tables)
  const states = buildStates(tables)

  /** One round trip: from when it is sent until the server answers its outcome is unknown. */
  async function inBlock(
    connection: Connection,
    statement: Statement,
    params: Params,
    call: Call,
  ): Promise<readonly Row[]> {
    const { text, values } = compiled(statement)
    call.committing()
    try {
      return await runBlock(connection, `${lockWaitFor(call, server)}${text}`, values(params))
    } catch (error) {
      // What the server itself says ended the block before its COMMIT, which is its last statement; one that was killed has left
      // its transaction open. A connection that the server ends may have been at its COMMIT.
      const { kind, driverCode } = failures(error)
      if (typeof driverCode === 'number' && kind !== 'connection') {
        await rolledBack(connection)
        call.settled()
      }
      throw error
    }
  }

  async function inSteps(
    connection: Connection,
    { variant, params }: Shaped,
    call: Call,
  ): Promise<Appended | undefined> {
    const { update, insert, sizes } = stepsFor(variant)
    const send = (statement: Statement, values: Params) => {
      call.check()
      return runOn(connection, statement, values)
    }
    try {
      await runText(connection, 'start transaction')
      const { count, lastId: lastSeq } = await send(update, params)
      // A trigger of the application that runs statements of its own may take the number that was left behind.
      const lastId = count === 0 || lastSeq === 0 ? 0 : (await send(insert, { ...params, lastSeq })).lastId
      if (lastId === 0) {
        await rolledBack(connection)
        return undefined
      }
      const { revision, isLarge } = insertedBy(lastId)
      const [row] = isLarge ? (await send(sizes, params)).rows : []
      call.committing()
      await runText(connection, 'commit')
      return { revision, lastSeq, stateBytes: sizesIn(row) }
    } catch (error) {
      await rolledBack(connection)
      throw error
    }
  }

  /** One INSERT, which commits by itself. */
  async function inserted(connection: Connection, params: Params, call: Call): Promise<Row | undefined> {
    const [seen] = await rowsOn(connection, states, params)
    call.check()
    call.committing()
    try {
      await runOn(connection, insertSession, params)
    } catch (error) {
      if (typeof failures(error).driverCode === 'number') call.settled()
      throw error
    }
    return seen
  }

  /** `undefined` where what a short way takes for granted is not so. */
  async function shortly<T>(call: Call, run: (connection: Connection) => Promise<T>): Promise<T | undefined> {
    if (server.flavour === 'mariadb' && !takesBlocks) return undefined
    try {
      return await connections.lend(call, run)
    } catch (error) {
      const { kind, driverCode } = failures(error)
      if (driverCode === notPreparable) takesBlocks = false
      if (kind === 'duplicate' || driverCode === notPreparable || checkViolations.has(driverCode)) return undefined
      throw error
    }
  }

  const across = acrossSessions(tables, server.flavour, server.maxAllowedPacket)

  /** A few statements for many sessions; those that it leaves out wrote nothing. */
  async function together(
    connection: Connection,
    appends: readonly Append[],
    call: Call,
  ): Promise<readonly (Appended | undefined)[]> {
    const send = ({ statement, params }: { statement: Statement; params: Params }) => {
      call.check()
      return runOn(connection, statement, params)
    }
    try {
      await runText(connection, 'start transaction')
      const { rows } = await send(across.look(appends))
      if (rows.length > 0) for (const write of across.writes(appends, rows)) await send(write)
      call.committing()
      await runText(connection, 'commit')
      return across.answers(appends, rows)
    } catch (error) {
      await rolledBack(connection)
      throw error
    }
  }

  return {
    ...(server.maxAllowedPacket >= leastPacket && {
      across: {
        ...acrossBounds,
        send: (appends, call) => connections.lend(call, (connection) => together(connection, appends, call)),
      },
    }),
    async appendEvents(append: Append, call) {
      const shape = shaped(append, server.maxAllowedPacket)
      if (shape === undefined) return undefined
      return shortly(call, async (connection) =>
        takesBlocks
          ? appendedBy(await inBlock(connection, blockFor(shape.variant), shape.params, call))
          : inSteps(connection, shape, call),
      )
    },
    async createSession(session, call) {
      const shape = shapedSession(session, server.maxAllowedPacket)
      if (shape === undefined || !(takesBlocks || isAlone(shape))) return undefined
      const { variant, params } = shape
      return shortly(call, async (connection) => {
        if (!takesBlocks) return inserted(connection, params, call)
        const [seen] = await inBlock(connection, sessionBlockFor(variant), params, call)
        return seen
      })
    },
    loadSession: (shape, params, call) =>
      connections.lend(call, async (connection) => loadedBy(await rowsOn(connection, loadFor(shape), params))),
    *loadWithin(tx, shape, params) {
      return loadedBy(yield* tx.rows(loadFor(shape), params))
    },
  }
}

/** Milliseconds that are kept of a call's time for its answer, which says that nothing was written. */
const kept = 200

/**
 * What makes a block wait for a lock no longer than its call does: it could not be told to stop, and would commit when the
 * lock comes. Whole seconds are all that there is, a few of them so that the texts stay few; with none it is tried again.
 */
function lockWaitFor({ deadline }: Call, { lockWait }: Probe): string {
  const seconds = (deadline - performance.now() - kept) / 1000
  if (seconds >= lockWait) return ''
  const wait = [20, 10, 5, 2, 1].find((some) => some <= seconds) ?? 0
  return `set statement innodb_lock_wait_timeout = ${wait} for `
}
