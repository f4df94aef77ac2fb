import { request } from 'node:http'
import { afterAll, describe, expect, test } from 'vitest'
import { listen, startApp } from './start.ts'

const ids = [
  'plain',
  'with space ',
  'a/b/../c',
  '%2F',
  '100%',
  'a?b#c&d=e',
  '"quoted" \'twice\'',
  '😀é́',
  '__proto__',
  'constructor',
  'toString',
  'stream',
  ':sessionId',
  '*',
  '+',
  'a\\b',
  'a;b=c',
  'tab\tnew\nline',
  'A'.repeat(191),
  '€'.repeat(170),
  '😀'.repeat(128),
]

const app = await startApp({}, afterAll)
const { port } = new URL(await listen(app))

describe('every legal id works in a path', () => {
  test.each(ids)('%j', async (id) => {
    const name = encodeURIComponent(id)
    const session = `/apps/${name}/users/${name}/sessions/${name}`
    const put = await app.inject({ method: 'PUT', url: session })
    expect(put.json()).toMatchObject({ appName: id, userId: id, sessionId: id })
    await app.inject({ method: 'POST', url: `${session}/events`, payload: { events: [{ id }] } })
    const event = await app.inject({ url: `${session}/events/${name}`, headers: { accept: 'application/json' } })
    expect(event.json()).toMatchObject({ seq: 1, event: { id } })
    const turn = await app.inject({
      method: 'POST',
      url: `${session}/messages`,
      payload: { text: '1+1', eventId: `${[...id].slice(0, -1).join('')}!` },
    })
    expect(turn.json().events).toHaveLength(4)
    expect((await app.inject({ method: 'PUT', url: `${session}/artifacts/${name}`, payload: id })).statusCode).toBe(201)
    expect((await app.inject(`${session}/artifacts/${name}`)).body).toBe(id)
    const memories = `/apps/${name}/users/${name}/memories`
    await app.store.memories.add({ appName: id, userId: id }, { id, text: 'tea' })
    expect((await app.inject(`${memories}?query=tea`)).json().items).toMatchObject([{ id }])
    expect((await app.inject({ method: 'DELETE', url: `${memories}/${name}` })).statusCode).toBe(204)
    expect((await app.inject(memories)).json().items).toEqual([])
    expect((await app.inject({ method: 'DELETE', url: session })).statusCode).toBe(204)
  })

  // Clients that follow the URL standard remove these from a path, encoded or not; others can send them.
  test.each(['.', '..'])('%j, from a client that sends what it is told', async (id) => {
    const status = await new Promise((resolve, reject) => {
      const path = `/apps/${id}/users/${id}/sessions/${id}`
      request({ host: '127.0.0.1', port, path, method: 'PUT' }, (response) => resolve(response.resume().statusCode))
        .on('error', reject)
        .end()
    })
    expect(status).toBe(201)
    expect(await app.store.sessions.get({ appName: id, userId: id, sessionId: id })).toBeDefined()
  })

  test('and others stay others', async () => {
    for (const id of ['a', 'A', 'a%20', 'a ']) {
      expect(
        (await app.inject({ method: 'PUT', url: `/apps/x/users/u/sessions/${encodeURIComponent(id)}` })).statusCode,
      ).toBe(201)
    }
    expect((await app.inject('/apps/x/users/u/sessions')).json().items).toHaveLength(4)
  })
})
