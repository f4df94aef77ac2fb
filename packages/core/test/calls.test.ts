import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createCalls, isStoreError, StoreError, whenAborted, type Call, type Calls } from '@daybook/core'

let calls: Calls
let unhandled: unknown[] = []
const note = (reason: unknown) => unhandled.push(reason)

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  unhandled = []
  process.on('unhandledRejection', note)
  calls = createCalls({ timeout: 100 })
})

afterEach(async () => {
  await setImmediate()
  process.off('unhandledRejection', note)
  vi.useRealTimers()
  if (unhandled.length > 0) throw new AggregateError(unhandled, 'unhandled rejections')
})

const codeOf = (promise: Promise<unknown>) =>
  promise.then(
    (answer) => answer,
    (error: unknown) => (isStoreError(error) ? error.code : error),
  )
const never = () => new Promise<never>(() => {})

/** What nobody catches, until the test has finished. */
function hearUncaught(): readonly unknown[] {
  const thrown: unknown[] = []
  const others = process.rawListeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => thrown.push(error))
  onTestFinished(() => {
    process.removeAllListeners('uncaughtException')
    for (const other of others) process.on('uncaughtException', other as (error: Error) => void) // they listened before
  })
  return thrown
}

const removedBy = (promise: Promise<unknown>) =>
  promise.catch((error: unknown) => (isStoreError(error) ? [error.code, error.retryable, error.facts] : error))
const removing = (then: (call: Call) => Promise<never>) => (call: Call) => {
  call.removed({ sessions: 1 })
  call.removed({ sessions: 2 })
  return then(call)
}

/** What JavaScript may pass as a signal. */
const withSignal = (signal: unknown) => codeOf(calls.run('health', { signal: signal as AbortSignal }, () => 1)) // whatever it is

interface Held<T> {
  body(call: Call): Promise<T>
  /** The running call. */
  call(): Call
  release(error?: Error): void
}

/** A body that goes on when it is told to. */
function held<T>(answer: T): Held<T> {
  let running: Call | undefined
  const ends: ((error?: Error) => void)[] = []
  const until = new Promise<T>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve(answer))))
  return {
    body(call) {
      running = call
      return until
    },
    call() {
      if (running === undefined) throw new Error('the body did not begin')
      return running
    },
    release: (error) => ends[0]?.(error),
  }
}

function broken(): never {
  throw new Error('of the logger')
}

describe('time', () => {
  test('a call whose time is over is a timeout, and its signal fires so that waits end', async () => {
    const work = held(1)
    const outcome = codeOf(calls.run('events.append', { timeout: 10 }, (call) => work.body(call)))
    await vi.advanceTimersByTimeAsync(9)
    expect(work.call().signal.aborted).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await outcome).toBe('timeout')
    expect(work.call().signal.aborted).toBe(true)
    expect(() => work.call().check()).toThrow('ran out of time')
    work.release(new Error('too late to matter'))
  })

  test('the store has a timeout for calls that do not say', async () => {
    const outcome = codeOf(calls.run('events.append', {}, never))
    await vi.advanceTimersByTimeAsync(100)
    expect(await outcome).toBe('timeout')
  })

  test('check tells a body that was busy for too long', async () => {
    const outcome = codeOf(
      calls.run('events.append', { timeout: 10 }, (call) => {
        vi.setSystemTime(Date.now() + 11)
        vi.advanceTimersByTime(11)
        call.check()
      }),
    )
    expect(await outcome).toBe('timeout')
  })

  test('who was told that its time is over commits nothing, though the timer fired a moment early', async () => {
    let late: Call | undefined
    vi.spyOn(performance, 'now').mockReturnValue(0) // the clock of a deadline lags behind the one of timers
    const told = calls.run('x', undefined, (call) => {
      late = call
      return never()
    })
    const code = codeOf(told)
    await vi.advanceTimersByTimeAsync(100)
    expect(await code).toBe('timeout')
    expect(() => late?.committing()).toThrow(expect.objectContaining({ code: 'timeout' }))
    vi.restoreAllMocks()
  })

  test('an error says what a call that removes in chunks had removed, however it ends', async () => {
    const busy = new StoreError('busy', 'others', { driverCode: 1205 })
    const facts = { removed: { sessions: 2 } }
    expect(
      await removedBy(
        calls.run(
          'x',
          undefined,
          removing(() => Promise.reject(busy)),
        ),
      ),
    ).toEqual(['busy', true, { ...facts, driverCode: 1205 }])
    const late = removedBy(calls.run('x', undefined, removing(never)))
    const signal = AbortSignal.abort()
    const committing = (call: Call) => {
      call.committing()
      return never()
    }
    const unknown = removedBy(calls.run('x', undefined, removing(committing)))
    const stop = new AbortController()
    const aborted = removedBy(calls.run('x', { signal: stop.signal }, removing(never)))
    stop.abort()
    await vi.advanceTimersByTimeAsync(100)
    expect(await late).toEqual(['timeout', true, facts])
    expect(await unknown).toEqual(['outcome_unknown', true, facts])
    expect(await aborted).toEqual(['aborted', false, facts])
    expect(await removedBy(calls.run('x', { signal }, never))).toEqual(['aborted', false, {}])
  })

  test('a timeout is a number of milliseconds above 0, as long as it likes', async () => {
    for (const timeout of [0, -1, Number.NaN, '5' as unknown as number]) {
      // what JavaScript may pass
      expect(await codeOf(calls.run('health', { timeout }, () => 1))).toBe('invalid_argument')
    }
    expect(await codeOf(calls.run('health', { timeout: Infinity }, () => 1))).toBe(1)
  })
})

describe('commits', () => {
  test('time that runs out during a commit leaves the outcome unknown, and names what the store generated', async () => {
    const work = held(1)
    const outcome = calls.run('events.append', { timeout: 10 }, (call) => work.body(call))
    outcome.catch(() => {}) // looked at below
    work.call().generated({ eventIds: ['e1'] })
    work.call().committing()
    await vi.advanceTimersByTimeAsync(10)
    await expect(outcome).rejects.toMatchObject({
      code: 'outcome_unknown',
      retryable: true,
      facts: { eventIds: ['e1'] },
    })
  })

  test('an abort during a commit does not count: the answer is that of the commit', async () => {
    const [abort, work] = [new AbortController(), held('committed')]
    const outcome = codeOf(calls.run('events.append', { signal: abort.signal }, (call) => work.body(call)))
    work.call().committing()
    abort.abort()
    await setImmediate()
    work.call().committed()
    work.call().check()
    work.release()
    expect(await outcome).toBe('committed')
  })

  test('an abort during a commit that failed counts at the next step', async () => {
    const abort = new AbortController()
    const outcome = codeOf(
      calls.run('events.append', { signal: abort.signal }, (call) => {
        call.committing()
        abort.abort()
        call.settled()
        call.check()
      }),
    )
    expect(await outcome).toBe('aborted')
  })

  test('after the commit an abort no longer counts, and a lost answer is an unknown outcome', async () => {
    const [abort, work] = [new AbortController(), held(1)]
    const outcome = codeOf(calls.run('events.append', { signal: abort.signal, timeout: 10 }, (call) => work.body(call)))
    work.call().committing()
    work.call().committed()
    abort.abort()
    await vi.advanceTimersByTimeAsync(10)
    expect(await outcome).toBe('outcome_unknown')
  })

  test('an abort or a timeout before the commit keeps it from being sent', async () => {
    const abort = new AbortController()
    const outcome = codeOf(
      calls.run('events.append', { signal: abort.signal }, (call) => {
        abort.abort()
        call.committing()
      }),
    )
    expect(await outcome).toBe('aborted')
  })
})

describe('abort', () => {
  test('an aborted call ends at once, with the reason as its cause', async () => {
    const [abort, work, reason] = [new AbortController(), held(1), new Error('the user left')]
    const outcome = calls.run('sessions.get', { signal: abort.signal }, (call) => work.body(call))
    abort.abort(reason)
    await expect(outcome).rejects.toMatchObject({ code: 'aborted', cause: reason })
    expect(work.call().signal.aborted).toBe(true)
  })

  test('who asked is told when a call is over, at once where it is over already, and not when it was taken back', async () => {
    const [abort, work, told] = [new AbortController(), held(1), vi.fn<(when: string) => void>()]
    const outcome = codeOf(calls.run('sessions.get', { signal: abort.signal }, (call) => work.body(call)))
    const call = work.call()
    call.onOver(() => told('before'))
    call.onOver(() => told('taken back'))()
    abort.abort()
    call.onOver(() => told('after'))
    expect(told.mock.calls).toEqual([['before'], ['after']])
    expect(await outcome).toBe('aborted')
  })

  test.each(['aborted', 'timeout'])(
    'one who throws when the call is over keeps neither the others nor its caller from hearing it: %s',
    async (end) => {
      const thrown = hearUncaught()
      const abort = new AbortController()
      const [work, told] = [held(1), vi.fn<(by: string) => void>()]
      const outcome = codeOf(
        calls.run('sessions.get', { signal: abort.signal, timeout: 20 }, (call) => work.body(call)),
      )
      work.call().onOver(() => {
        throw new RangeError('of the first')
      })
      work.call().onOver(() => told('the second'))
      if (end === 'aborted') abort.abort()
      else vi.advanceTimersByTime(20)
      expect(told.mock.calls).toEqual([['the second']])
      expect(await outcome).toBe(end)
      await setImmediate()
      expect(thrown).toEqual([new RangeError('of the first')])
    },
  )

  test('one who throws when a signal fires keeps no other from hearing it', async () => {
    const thrown = hearUncaught()
    const abort = new AbortController()
    const told = vi.fn<() => void>()
    whenAborted(abort.signal, () => {
      throw new RangeError('of the first')
    })
    whenAborted(abort.signal, told)
    abort.abort()
    expect(told).toHaveBeenCalledOnce()
    await setImmediate()
    expect(thrown).toEqual([new RangeError('of the first')])
  })

  test('a signal that fired before keeps the body from beginning', async () => {
    const body = vi.fn<(...args: unknown[]) => void>()
    expect(await codeOf(calls.run('sessions.get', { signal: AbortSignal.abort() }, body))).toBe('aborted')
    expect(body).not.toHaveBeenCalled()
  })

  test('one signal for many calls has one listener, and wakes them all', async () => {
    const abort = new AbortController()
    const added = vi.spyOn(abort.signal, 'addEventListener')
    const done = Array.from({ length: 50 }, () => calls.run('sessions.get', { signal: abort.signal }, () => 1))
    const waiting = Array.from({ length: 50 }, () => codeOf(calls.run('sessions.get', { signal: abort.signal }, never)))
    await Promise.all(done)
    expect(added).toHaveBeenCalledTimes(1)
    abort.abort()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['aborted']))
  })

  test('what is no signal is refused, and one of another realm is taken', async () => {
    for (const signal of [null, 5, {}, { aborted: false }]) expect(await withSignal(signal)).toBe('invalid_argument')
    expect(
      await withSignal(
        Object.setPrototypeOf(new EventTarget(), { aborted: false, addEventListener() {}, removeEventListener() {} }),
      ),
    ).toBe(1)
  })
})

describe('close', () => {
  test('no call begins any more, and the running ones are waited for', async () => {
    const work = held(1)
    const running = calls.run('sessions.get', {}, (call) => work.body(call))
    let isClosed = false
    const closing = calls.close().then(() => (isClosed = true))
    expect(calls.closing.aborted).toBe(true)
    expect(await codeOf(calls.run('sessions.get', {}, () => 2))).toBe('closed')
    await setImmediate()
    expect(isClosed).toBe(false)
    work.release()
    expect(await running).toBe(1)
    await closing
    await calls.close()
  })

  test('work that an aborted caller left behind is waited for as well', async () => {
    const [abort, work] = [new AbortController(), held(1)]
    const outcome = codeOf(calls.run('sessions.get', { signal: abort.signal }, (call) => work.body(call)))
    abort.abort()
    expect(await outcome).toBe('aborted')
    let isClosed = false
    const closing = calls.close().then(() => (isClosed = true))
    await setImmediate()
    expect(isClosed).toBe(false)
    work.release(new Error('stopped at its next step'))
    await closing
  })

  test('work that never ends is waited for until its time is over', async () => {
    const outcome = codeOf(calls.run('sessions.get', { timeout: 50 }, never))
    const closing = calls.close()
    await vi.advanceTimersByTimeAsync(50)
    await closing
    expect(await outcome).toBe('timeout')
  })
})

describe('errors', () => {
  test('a StoreError leaves as it is; any other is internal, with its cause', async () => {
    const own = new StoreError('not_found', 'there is no session s1')
    await expect(
      calls.run('sessions.get', {}, () => {
        throw own
      }),
    ).rejects.toBe(own)
    const foreign = new Error('SELECT secret')
    const outcome = calls.run('sessions.get', {}, () => Promise.reject(foreign))
    await expect(outcome).rejects.toMatchObject({
      code: 'internal',
      cause: foreign,
      message: 'sessions.get failed in an unexpected way',
    })
  })

  test('options that cannot be read are refused, and a method never throws while it is called', async () => {
    const options = {
      get timeout(): number {
        throw new Error('secret')
      },
    }
    expect(await codeOf(calls.run('sessions.get', options, () => 1))).toBe('invalid_argument')
    expect(await codeOf(calls.run('sessions.get', null as unknown as undefined, () => 1))).toBe(1) // the method's own checks refuse it
  })

  test('each call is logged with operation, duration and code, and without its payload', async () => {
    const debug = vi.fn<(...args: unknown[]) => void>()
    const logger = {
      debug,
      info: vi.fn<(...args: unknown[]) => void>(),
      warn: vi.fn<(...args: unknown[]) => void>(),
      error: vi.fn<(...args: unknown[]) => void>(),
    }
    const logging = createCalls({ logger })
    await logging.run('sessions.get', {}, () => ({ secret: 1 }))
    await codeOf(
      logging.run('sessions.get', {}, () => {
        throw new Error('secret')
      }),
    )
    expect(debug.mock.calls).toEqual([
      [{ operation: 'sessions.get', ms: 0 }, 'sessions.get done'],
      [{ operation: 'sessions.get', ms: 0, code: 'internal' }, 'sessions.get failed'],
    ])
  })

  test('a logger that throws fails the call, and leaves no rejection to nobody', async () => {
    const logging = createCalls({ logger: { debug: broken, info: broken, warn: broken, error: broken } })
    for (const body of [() => 1, () => Promise.resolve(1), broken]) {
      await expect(logging.run('sessions.get', {}, body)).rejects.toMatchObject({
        code: 'internal',
        cause: { message: 'of the logger' },
      })
    }
  })
})

test('no timer of ours keeps the process alive, and however many calls have ended, one is left until the store is closed', async () => {
  const timers = vi.spyOn(globalThis, 'setTimeout')
  const work = held(1)
  const outcome = calls.run('sessions.get', {}, (call) => work.body(call))
  const [timer] = timers.mock.results.map(({ value }) => value as NodeJS.Timeout) // what setTimeout answers
  expect(timer?.hasRef()).toBe(false)
  work.release()
  await outcome
  await codeOf(
    calls.run('sessions.get', {}, () => {
      throw new Error('early')
    }),
  )
  await codeOf(calls.run('sessions.get', { signal: AbortSignal.abort() }, () => 1))
  await setImmediate()
  expect(vi.getTimerCount()).toBe(1)
  await calls.close()
  expect(vi.getTimerCount()).toBe(0)
})

test('each of many calls is told in its own time, also one that began later and has less of it', async () => {
  const told: string[] = []
  const waiting = [300, 50, 200, 50, 1].map(async (timeout, i) => {
    await codeOf(calls.run('x', { timeout }, never))
    told.push(`${i}: ${performance.now() - began}`)
  })
  const began = performance.now()
  await vi.advanceTimersByTimeAsync(40)
  waiting.push(
    codeOf(calls.run('x', { timeout: 5 }, never)).then(() => void told.push(`5: ${performance.now() - began}`)),
  )
  await vi.advanceTimersByTimeAsync(300)
  await Promise.all(waiting)
  expect(told).toEqual(['4: 1', '5: 45', '1: 50', '3: 50', '2: 200', '0: 300'])
})

test('calls are told in time also after somebody has taken the timer of those before away', async () => {
  await calls.run('x', undefined, () => 1)
  vi.clearAllTimers()
  await vi.advanceTimersByTimeAsync(2_000)
  const outcome = codeOf(calls.run('x', undefined, never))
  await vi.advanceTimersByTimeAsync(100)
  expect(await outcome).toBe('timeout')
})
