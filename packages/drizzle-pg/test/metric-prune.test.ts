import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { leftByPrune } from '../../drizzle/test/prune-beside.ts'
import { openPatched } from './patched-store.ts'
import { migratedStore } from './places.ts'
import { needsServer, serverUrl } from './server.ts'

beforeEach(needsServer)

test('a row of a trace that comes after a prune has looked at it stays', async () => {
  const store = await migratedStore()
  const left = await leftByPrune(store, async (patch) => {
    const patched = await openPatched({ driver: 'pg', url: serverUrl, max: 2, schema: store.schema }, patch)
    onTestFinished(() => patched.close())
    return patched
  })
  expect(left).toEqual(['young'])
})
