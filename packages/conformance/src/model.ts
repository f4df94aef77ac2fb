import * as fc from 'fast-check'
import type { Ctx } from './context.ts'
import { CheckFailure, type Counterexample } from './expect.ts'
import { commandsOf, firstSession, type Real } from './model-commands.ts'
import { createLook } from './model-look.ts'
import { newModel } from './model-state.ts'

/** The seed that every run has, beside the one that it draws. */
export const fixedSeed = 20_240_229

let runs = 0

/** Random commands against the store and against the model, once from the fixed seed and once from the run's own. */
export async function runModel(ctx: Ctx, kind: 'sessions' | 'state'): Promise<void> {
  for (const drawn of draws(ctx)) {
    const commandsToRun = commandsOf(kind, ctx.budget.modelCommands, drawn.replayPath)
    const property = fc.asyncProperty(commandsToRun, async (commands) => {
      let store = ctx.store
      let reopened = false
      const isOwn = () => store !== ctx.store && store !== ctx.other
      const real: Real = {
        store,
        prefix: `${ctx.app}.${(runs += 1)}.`,
        look: createLook(ctx.budget.lookEvery),
        async reopen() {
          // To open is the dearest command by far: a quick run does it once, and then goes on by the other open.
          const isDear = ctx.budget.name === 'quick' && reopened
          reopened = true
          const next = isDear ? (store === ctx.other ? ctx.store : ctx.other) : await ctx.open()
          // An open of our own is closed before the next; the shared ones stay.
          if (isOwn()) await store.close()
          store = next
          real.store = store
        },
      }
      try {
        const model = newModel()
        await firstSession(model, real)
        await fc.asyncModelRun(() => ({ model, real }), commands)
        await real.look.rest(model, real.store)
      } finally {
        if (isOwn()) await store.close()
      }
    })
    const numRuns = Math.ceil(ctx.budget.modelRuns / 2)
    await settle(fc.check(property, { ...parametersOf(ctx, drawn), numRuns, maxSkipsPerRun: 0 }))
  }
}

/** A property, once from the fixed seed and once from the run's own. */
export async function runProperty<T>(
  ctx: Ctx,
  arbitrary: fc.Arbitrary<T>,
  body: (value: T) => Promise<void>,
  numRuns: number = ctx.budget.modelRuns,
): Promise<void> {
  for (const drawn of draws(ctx)) {
    const parameters = { ...parametersOf(ctx, drawn), numRuns: Math.ceil(numRuns / 2) }
    await settle(fc.check(fc.asyncProperty(arbitrary, body), parameters))
  }
}

type Draw = Pick<Counterexample, 'seed'> & Partial<Counterexample>

/** The fixed seed and the run's own; or what failed once, and nothing else. */
const draws = ({ replay, seed }: Ctx): readonly Draw[] =>
  replay === undefined ? [{ seed: fixedSeed }, { seed }] : [replay]

/** What fails on a store that is broken on purpose is not looked at, and so not made smaller. */
const parametersOf = ({ budget }: Ctx, { seed, path }: Draw) => ({
  seed,
  ...(path !== undefined && { path }),
  ...((path !== undefined || budget.isProof === true) && { endOnFailure: true }),
})

/** A run of the model that ended with an error that is no finding. */
export class BrokenOff extends Error {
  override readonly name = 'BrokenOff'
  readonly counterexample: Counterexample

  constructor(message: string, counterexample: Counterexample, cause: unknown) {
    super(message, { cause })
    this.counterexample = counterexample
  }
}

async function settle<T>(check: Promise<fc.RunDetails<T>> | fc.RunDetails<T>): Promise<void> {
  const details = await check
  if (!details.failed) return
  const { counterexample: example, counterexamplePath, errorInstance, seed } = details
  const replayPath = /replayPath="([^"]*)"/.exec(String(example))?.[1]
  const found = { seed, path: counterexamplePath ?? '', ...(replayPath !== undefined && { replayPath }) }
  const replay = `seed ${seed}, path ${found.path}, after ${String(example)}`
  if (errorInstance instanceof CheckFailure)
    throw new CheckFailure(`${errorInstance.message} (${replay})`, errorInstance.expected, errorInstance.got, {
      counterexample: found,
      cause: errorInstance.cause,
    })
  throw new BrokenOff(`the model run broke off (${replay})`, found, errorInstance)
}
