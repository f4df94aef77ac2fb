// All contenders live in one process and take turns, so that whatever disturbs the machine disturbs all of them.
import { setTimeout as wait } from 'node:timers/promises'

/** Prepares one operation, untimed, and answers what is to be timed. */
export type Prepare = () => () => Promise<unknown>

export interface Runner {
  readonly name: string
  readonly prepare: Prepare
}

export interface Turns {
  readonly rounds: number
  /** Operations of one turn. */
  readonly chunk: number
  readonly warmUps: number
  /** Milliseconds of timed work of each. */
  readonly budget: number
}

export interface Measured {
  /** Milliseconds. */
  readonly samples: number[]
  errors: number
  /** One of them. */
  error?: string
}

/** However slow one is, it is asked so often. */
const fewest = 5

export async function takeTurns(runners: readonly Runner[], turns: Turns): Promise<ReadonlyMap<string, Measured>> {
  const all = runners.map((runner) => ({ runner, spent: 0, measured: { samples: [], errors: 0 } as Measured }))
  for (let round = -turns.warmUps; round < turns.rounds; round++) {
    for (const one of round % 2 === 0 ? all : all.toReversed()) {
      const { measured } = one
      for (let i = 0; i < turns.chunk; i++) {
        if (one.spent > turns.budget && measured.samples.length >= fewest) break
        const operation = one.runner.prepare()
        const began = performance.now()
        try {
          await operation()
          const took = performance.now() - began
          one.spent += took
          if (round >= 0) measured.samples.push(took)
        } catch (error) {
          one.spent += performance.now() - began
          noteError(measured, error)
          if (measured.samples.length === 0 && measured.errors > 20) break
        }
      }
    }
  }
  return new Map(all.map(({ runner, measured }) => [runner.name, measured]))
}

export interface Crowd {
  readonly name: string
  /** One for each of those who work at once. */
  readonly workers: readonly Prepare[]
}

export interface Blocks {
  readonly blocks: number
  /** Milliseconds of a block. */
  readonly length: number
  /** Milliseconds before each, untimed: a pool that has slept makes its connections and plans its statements. */
  readonly warmUp: number
}

export interface Thronged extends Measured {
  /** Operations per second, of each block. */
  readonly rates: number[]
}

/** Every worker begins its next operation when its last one has ended. */
export async function takeBlocks(
  crowds: readonly Crowd[],
  { blocks, length, warmUp }: Blocks,
): Promise<ReadonlyMap<string, Thronged>> {
  const all = crowds.map((crowd) => ({ crowd, measured: { samples: [], errors: 0, rates: [] } as Thronged }))
  for (let block = 0; block < blocks; block++) {
    for (const { crowd, measured } of block % 2 === 0 ? all : all.toReversed()) {
      await throng(crowd, warmUp, { samples: [], errors: 0 })
      const done = measured.samples.length
      const took = await throng(crowd, length, measured)
      measured.rates.push(((measured.samples.length - done) / took) * 1000)
    }
  }
  return new Map(all.map(({ crowd, measured }) => [crowd.name, measured]))
}

async function throng({ workers }: Crowd, length: number, measured: Measured): Promise<number> {
  const began = performance.now()
  await Promise.all(
    workers.map(async (prepare) => {
      while (performance.now() - began < length) {
        const operation = prepare()
        const at = performance.now()
        try {
          await operation()
          measured.samples.push(performance.now() - at)
        } catch (error) {
          noteError(measured, error)
          await wait(1)
        }
        // A synchronous driver never lets go by itself; those who wait for a socket do.
        await new Promise(setImmediate)
      }
    }),
  )
  return performance.now() - began
}

function noteError(measured: Measured, error: unknown): void {
  measured.errors += 1
  measured.error ??= error instanceof Error ? `${error.name}: ${error.message}`.slice(0, 200) : String(error)
}
