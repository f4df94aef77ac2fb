import { expect, test } from 'vitest'
import { startWorker } from '../src/process.ts'

const module = new URL('./memory-worker.ts', import.meta.url).href
const key = { appName: 'a', userId: 'u', sessionId: 's' }

test('another process opens the subject’s module, though it is TypeScript', async () => {
  const worker = await startWorker({ module, args: 'memory' })
  try {
    await worker.call('sessions.create', key)
    const records = await worker.appends({ key, prefix: 'w', count: 3 })
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3])
    await expect(worker.call('sessions.create', key)).rejects.toMatchObject({ code: 'already_exists' })
  } finally {
    await worker.stop()
  }
})

test('a worker that cannot open says why', async () => {
  await expect(startWorker({ module, args: 'other' })).rejects.toThrow('unexpected other')
})

test('a worker that is killed leaves no call waiting', async () => {
  const worker = await startWorker({ module, args: 'memory' })
  const waiting = worker.appends({ key, prefix: 'w', count: 3 }).catch((error: unknown) => String(error))
  await worker.kill()
  expect(await waiting).toMatch(/RemoteError/)
})
