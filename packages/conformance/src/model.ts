import * as fc from 'fast-check'
import type { Ctx } from './context.ts'
import { CheckFailure } from './expect.ts'
import { commandsOf, firstSession, type Real } from './model-commands.ts'
import { createLook } from './model-look.ts'
import { newModel } from './model-state.ts'

/** The seed that every run has, beside the one that it draws. */
export const fixedSeed = 20_240_229

let runs = 0

/** Random commands against the store and against the model, once from the fixed seed and once from the run's own. */
export async function runModel(ctx: Ctx, kind: 'sessions' | 'state'): Promise<void> {
  for (const seed of [fixedSeed, ctx.seed]) {
    const property = fc.asyncProperty(commandsOf(kind, ctx.budget.modelCommands), async (commands) => {
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
    await settle(fc.check(property, { seed, numRuns: Math.ceil(ctx.budget.modelRuns / 2), maxSkipsPerRun: 0 }), seed)
  }
}

/** A property, once from the fixed seed and once from the run's own. */
export async function runProperty<T>(
  ctx: Ctx,
  arbitrary: fc.Arbitrary<T>,
  body: (value: T) => Promise<void>,
  numRuns: number = ctx.budget.modelRuns,
): Promise<void> {
  for (const seed of [fixedSeed, ctx.seed]) {
    await settle(fc.check(fc.asyncProperty(arbitrary, body), { seed, numRuns: Math.ceil(numRuns / 2) }), seed)
  }
}

async function settle<T>(check: Promise<fc.RunDetails<T>> | fc.RunDetails<T>, seed: number): Promise<void> {
  const details = await check
  if (!details.failed) return
  const { counterexample, counterexamplePath, errorInstance } = details
  const replay = `seed ${seed}, path ${counterexamplePath ?? ''}, after ${String(counterexample)}`
  if (errorInstance instanceof CheckFailure)
    throw new CheckFailure(`${errorInstance.message} (${replay})`, errorInstance.expected, errorInstance.got)
  throw new Error(`the model run broke off (${replay})`, { cause: errorInstance })
}
