import { isStoreError, StoreError, type Call } from '@daybook/core'
import type { Append, Appended, Dialect, ErrorKind } from './dialect.ts'

/** An append that waits to go with others. */
export interface WaitingAppend {
  readonly append: Append
  readonly call: Call
  readonly answer: (appended: Appended | undefined) => void
  readonly fail: (error: unknown) => void
}

/**
 * Waits in a queue until whoever takes it from there answers; one whose call is over leaves it.
 *
 * @param waitsFor what the call is told to wait for
 */
export function waitIn<Member extends WaitingAppend>(
  queue: Member[],
  memberOf: (waiting: WaitingAppend) => Member,
  { append, call }: Pick<WaitingAppend, 'append' | 'call'>,
  waitsFor: string,
): Promise<Appended | undefined> {
  return new Promise((resolve, reject) => {
    let stay: (() => void) | undefined
    const settled = () => {
      stay?.()
      call.waitsFor(undefined)
    }
    const member = memberOf({
      append,
      call,
      answer(appended) {
        settled()
        resolve(appended)
      },
      fail(error) {
        settled()
        reject(error)
      },
    })
    const over = () => {
      const place = queue.indexOf(member)
      if (place < 0) return // it is on its way
      queue.splice(place, 1)
      member.fail(new StoreError('aborted', 'the call was over before its turn came')) // the call has its own answer already
    }
    queue.push(member)
    call.waitsFor(() => `${waitsFor} (${queue.length} waiting)`)
    stay = call.onOver(over)
  })
}

/** Says no to one whose call is over. */
export function isPresent({ call, fail }: WaitingAppend): boolean {
  try {
    call.check()
    return true
  } catch (error) {
    fail(error)
    return false
  }
}

/**
 * Whether an error is the answer to all of a group: nobody in particular has brought it about, or a commit was sent and nobody knows what
 * became of it, so that none may be sent again.
 *
 * @param kinds those that nobody in particular brings about
 */
export function isOfAll(
  error: unknown,
  { isCommitting }: Pick<Call, 'isCommitting'>,
  failureOf: Dialect['failureOf'],
  kinds: ReadonlySet<ErrorKind>,
): boolean {
  if (isStoreError(error)) return !isCommitting
  const { kind, isUnknown } = failureOf(error)
  return kinds.has(kind) || (isCommitting && isUnknown === true)
}

/** Goes by itself after all. */
export async function alone(
  { append, call, answer, fail }: WaitingAppend,
  send: (append: Append, call: Call) => Promise<Appended | undefined>,
): Promise<void> {
  try {
    answer(await send(append, call))
  } catch (error) {
    fail(error)
  }
}
