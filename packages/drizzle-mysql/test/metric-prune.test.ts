import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { leftByPrune } from '../../drizzle/test/prune-beside.ts'
import { openPatched } from './patched-store.ts'
import { needsServer, newPlace, openedStore } from './places.ts'

beforeEach(needsServer)

test('a row of a trace that comes after a prune has looked at it stays', async () => {
  const { url } = await newPlace()
  const store = await openedStore(url)
  await store.migrate()
  const left = await leftByPrune(store, async (patch) => {
    const patched = await openPatched({ url }, patch)
    onTestFinished(() => patched.close())
    return patched
  })
  expect(left).toEqual(['young'])
})
