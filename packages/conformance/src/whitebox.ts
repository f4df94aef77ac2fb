import { embeddingDimensions } from './fixtures.ts'
import type { Store } from '@daybook/core'
import type { Ctx } from './context.ts'
import type { Honoured, Lack, OpenOptions, Oracle, Place, SentStatement } from './define.ts'
import { Inapplicable, Unproven } from './expect.ts'
import { runId } from './left-places.ts'
import { reasonOfLack } from './facts.ts'

/** A member of the oracle that a check cannot do without. */
export function oracleMember<K extends keyof Oracle>({ place }: Ctx, name: K): NonNullable<Oracle[K]> {
  const member = place.oracle?.[name]
  if (member === undefined || member === null) throw new Unproven('no oracle', name)
  return member
}

/** The place passes this option of an opening on. */
export function honoured({ place }: Ctx, option: Honoured): void {
  if (place.honours?.includes(option) !== true) throw new Unproven('option not honoured', option)
}

/** The rule says nothing about a place that lacks this. */
export function unlessLacking({ place }: Ctx, lack: Exclude<Lack, 'pool'>): void {
  if (place.lacks?.includes(lack) === true) throw new Inapplicable(reasonOfLack[lack])
}

/** A store whose statements are heard. */
export interface Observed {
  readonly store: Store
  /** The statements that `work` sends, in their order. */
  readonly during: (work: () => Promise<unknown>) => Promise<readonly SentStatement[]>
}

/** One more open, its schema already looked at, so that what is heard belongs to the calls. */
export async function observed(ctx: Ctx, options: OpenOptions = {}): Promise<Observed> {
  honoured(ctx, 'onStatement')
  let sent: SentStatement[] = []
  const store = await ctx.open({ ...options, poolMax: 1, onStatement: (statement) => void sent.push(statement) })
  await store.sessions.get({ appName: ctx.app, userId: 'nobody', sessionId: 'nothing' })
  return {
    store,
    async during(work) {
      sent = []
      await work()
      return sent.splice(0)
    },
  }
}

/** What begins, bounds and ends transactions or sets up a connection: no statement of a method. */
const control = /^\s*(begin|start|commit|rollback|end|savepoint|release|set|pragma|use|show|discard|deallocate)\b/i
/** What reads no table touches nobody's rows: a setting, a notification. */
const tableless = /^\s*select\b(?!.*\bfrom\b)/is

export const withoutControl = (statements: readonly SentStatement[]): readonly SentStatement[] =>
  statements.filter(({ text }) => !control.test(text) && !tableless.test(text))

let places = 0

/** One more place of the subject, empty and not migrated, for checks that compare two. What was opened in it is closed with it. */
export async function inAnotherPlace<T>(ctx: Ctx, body: (place: Place) => Promise<T>): Promise<T> {
  const place = await ctx.subject.provision({ id: `${runId((places += 1))}_o` })
  const opened: Store[] = []
  try {
    return await body({
      ...place,
      async open(options) {
        const store = await place.open({ embeddingDimensions, ...options })
        opened.push(store)
        return store
      },
    })
  } finally {
    await Promise.allSettled(opened.map((store) => store.close()))
    await place.destroy()
  }
}
