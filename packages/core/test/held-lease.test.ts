import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createLeases, endedLease, StoreError, type LeaseGrant, type LeaseWork } from '@daybook/core'

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
const ttl = 9_000

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }))
afterEach(() => vi.useRealTimers())

/** What a store would do, with renewals that end as they are told to. */
function leasesWith(renewal: () => Promise<number>) {
  const calls = { renewed: 0, released: 0, timeouts: [] as (number | undefined)[] }
  const work: LeaseWork = {
    take: async () => ({ key, owner: 'me', ttl, fence: 1, expiresAt: ttl }) satisfies LeaseGrant,
    renew: (_grant, options) => {
      calls.renewed += 1
      calls.timeouts.push(options?.timeout)
      return renewal()
    },
    release: async () => {
      calls.released += 1
    },
  }
  return { calls, leases: createLeases(work) }
}

const gone = () => Promise.reject(new StoreError('unavailable', 'nobody answers'))

test('it is renewed after each third of its ttl, by timers that keep no process alive', async () => {
  let end = ttl
  const { calls, leases } = leasesWith(async () => (end += 3_000))
  const lease = await leases.lease(key, { ttl, owner: 'me' })
  await vi.advanceTimersByTimeAsync(30_100)
  expect([calls.renewed, lease.expiresAt, lease.signal.aborted]).toEqual([10, 39_000, false])
  await lease.release()
  await vi.advanceTimersByTimeAsync(30_000)
  expect([calls.renewed, calls.released, lease.signal.reason]).toEqual([
    10,
    1,
    expect.objectContaining({ code: 'closed' }),
  ])
  expect(vi.getTimerCount()).toBe(0)
})

test('a renewal that fails is tried again, and the lease is lost at its end and not before', async () => {
  const { calls, leases } = leasesWith(gone)
  const lease = await leases.lease(key, { ttl, owner: 'me' })
  await vi.advanceTimersByTimeAsync(ttl - 1)
  expect([calls.renewed > 4, lease.signal.aborted]).toEqual([true, false])
  expect(calls.timeouts.every((timeout) => timeout !== undefined && timeout <= ttl)).toBe(true)
  await vi.advanceTimersByTimeAsync(1_000)
  expect(lease.signal.reason).toMatchObject({ code: 'conflict', cause: { code: 'unavailable' } })
  await expect(lease.renew()).rejects.toMatchObject({ code: 'conflict', facts: { field: 'lease' } })
  await lease.release()
  expect([calls.released, vi.getTimerCount()]).toEqual([0, 0])
})

test('a renewal that succeeds after failures keeps it', async () => {
  let isGone = true
  const { leases } = leasesWith(() => (isGone ? gone() : Promise.resolve(2 * ttl)))
  const lease = await leases.lease(key, { ttl, owner: 'me' })
  await vi.advanceTimersByTimeAsync(6_000)
  isGone = false
  await vi.advanceTimersByTimeAsync(20_000)
  expect([lease.signal.aborted, lease.expiresAt]).toEqual([false, 2 * ttl])
  await lease.release()
})

test('it is lost at once when the store says that it has ended', async () => {
  const { calls, leases } = leasesWith(() => Promise.reject(endedLease(key, { owner: 'me', fence: 1 })))
  const lease = await leases.lease(key, { ttl, owner: 'me' })
  await vi.advanceTimersByTimeAsync(3_000)
  expect([calls.renewed, lease.signal.aborted]).toEqual([1, true])
})

test('a release that failed can be repeated', async () => {
  let isGone = true
  const leases = createLeases({
    take: async () => ({ key, owner: 'me', ttl, fence: 1, expiresAt: ttl }),
    renew: async () => ttl,
    release: async () => void (isGone && (await gone())),
  })
  const lease = await leases.lease(key, { ttl, owner: 'me' })
  await expect(lease.release()).rejects.toMatchObject({ code: 'unavailable' })
  expect(lease.signal.aborted).toBe(true)
  isGone = false
  await lease.release()
})

test('a store that closes releases what it holds, and gives no more', async () => {
  const { calls, leases } = leasesWith(async () => ttl)
  const held = await Promise.all([leases.lease(key, { ttl, owner: 'me' }), leases.lease(key, { ttl, owner: 'me' })])
  leases.close()
  expect([calls.released, held.map(({ signal }) => signal.aborted)]).toEqual([2, [true, true]])
  await expect(leases.lease(key, { ttl, owner: 'me' })).rejects.toMatchObject({ code: 'closed' })
})
