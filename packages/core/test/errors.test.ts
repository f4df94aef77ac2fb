import { expect, test, vi } from 'vitest'
import { errorCodes, isStoreError, StoreError } from '@daybook/core'

test('an error of another copy of this package is told by its brand', async () => {
  vi.resetModules()
  const copy = await import('../src/errors.ts')
  expect(copy.StoreError).not.toBe(StoreError)
  const foreign: unknown = new copy.StoreError('busy', 'somebody holds the lock')
  expect(foreign instanceof StoreError).toBe(false)
  expect(isStoreError(foreign) && foreign.code).toBe('busy')
  expect(copy.isStoreError(new StoreError('closed', 'closed'))).toBe(true)
})

test('nothing else is a StoreError', () => {
  for (const value of [new Error('busy'), { code: 'busy', name: 'StoreError' }, null, undefined, 'busy', () => 1])
    expect(isStoreError(value)).toBe(false)
})

test('the JSON form is stable, and has neither cause nor stack', () => {
  const error = new StoreError('conflict', 'session s1 is at revision 4, not 3', {
    revision: 4,
    cause: new Error('password=hunter2'),
  })
  expect(JSON.stringify(error)).toBe(
    '{"name":"StoreError","code":"conflict","message":"session s1 is at revision 4, not 3","retryable":false,"revision":4}',
  )
  expect(error.cause).toBeInstanceOf(Error)
  expect(`${error}`).toBe('StoreError: session s1 is at revision 4, not 3')
  expect('cause' in new StoreError('internal', 'no cause')).toBe(false)
})

test('retryable says that the same call may succeed, by code or by what is known better', () => {
  const retryable = errorCodes.filter((code) => new StoreError(code, '').retryable)
  expect(retryable).toEqual(['unavailable', 'outcome_unknown', 'timeout', 'busy'])
  expect(new StoreError('unavailable', '', { retryable: false }).retryable).toBe(false)
})

test('there are the sixteen codes of the contract', () => {
  expect(new Set(errorCodes).size).toBe(16)
})
