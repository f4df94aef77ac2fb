import { StoreError, whenOver, type Call } from '@daybook/core'

/** A member gave up before the group was sent; it goes without it. */
export class Regroup extends StoreError {
  constructor() {
    super('aborted', 'one of the appends that go together is over')
  }
}

interface JointCall extends Call {
  /** Nobody listens to the members' calls any more. */
  end(): void
}

/** What a dialect sees of the calls of a group. Each of them ends by itself; the work ends when all have. */
export function jointCall(calls: readonly Call[]): JointCall {
  const stop = new AbortController()
  let isCommitting = false
  let left = calls.length
  const over = () => {
    left--
    if (left === 0) stop.abort()
  }
  const stays = calls.map((call) => call.onOver(over))
  const each = (tell: (call: Call) => void) => {
    try {
      for (const call of calls) tell(call)
    } catch {
      joint.settled()
      throw new Regroup()
    }
  }
  const joint: JointCall = {
    deadline: Math.min(...calls.map(({ deadline }) => deadline)),
    signal: stop.signal,
    onOver: (callback) => whenOver(stop.signal, callback),
    check: () => each((call) => call.check()),
    generated() {}, // each call knows its own
    committing() {
      each((call) => call.committing())
      isCommitting = true
    },
    settled() {
      isCommitting = false
      for (const call of calls) call.settled()
    },
    committed() {
      for (const call of calls) call.committed()
    },
    get isCommitting() {
      return isCommitting
    },
    stoppable() {}, // the work is done in this thread
    removed() {}, // an append removes nothing
    waitsFor(what) {
      for (const call of calls) call.waitsFor(what)
    },
    outcomeUnknown: (cause) => new StoreError('outcome_unknown', 'the reply to a commit did not come', { cause }),
    end() {
      for (const stay of stays) stay()
    },
  }
  return joint
}
