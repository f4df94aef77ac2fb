import { createInMemoryStore, StoreError, type Store } from '@daybook/core'
import type { FastifyInstance } from 'fastify'
import { describe, expect, test } from 'vitest'
import { startApp } from './start.ts'

const user = { appName: 'chat', userId: 'ann' }
const key = { ...user, sessionId: 's1' }
const session = (sessionId = 's1', userId = 'ann') => `/apps/chat/users/${userId}/sessions/${sessionId}`

async function started(options: Parameters<typeof startApp>[0] = {}): Promise<FastifyInstance> {
  const app = await startApp(options)
  for (const sessionId of ['s1', 's2']) await app.store.sessions.create({ ...key, sessionId })
  await app.store.sessions.create({ ...key, userId: 'bob' })
  return app
}

const post = (app: FastifyInstance, text: string, eventId?: string, url = session()) =>
  app.inject({ method: 'POST', url: `${url}/messages`, payload: { text, ...(eventId !== undefined && { eventId }) } })
const say = async (app: FastifyInstance, text: string, url?: string): Promise<string> =>
  (await post(app, text, undefined, url)).json().text

/** A store in whose place a server would have died: after a tool has done its work, and before that is in the session. */
function dyingAfterTool(store: Store): Store {
  let isOver = false
  const append: Store['events']['append'] = async (to, events, options) => {
    if (!isOver && JSON.stringify(events).includes('"functionResponse"')) {
      isOver = true
      throw new StoreError('unavailable', 'gone')
    }
    return store.events.append(to, events, options)
  }
  return { ...store, events: { ...store.events, append } }
}

describe('files', () => {
  test('are saved as they were written, and read again', async () => {
    const app = await started()
    const text = 'Green tea.\n\n  - 2 spoons\n  - “80 °C”!'
    expect(await say(app, `Save this file as tea.txt: ${text}`)).toBe('I have saved tea.txt (version 0, 42 bytes).')
    const loaded = await app.store.artifacts.load({ ...key, name: 'tea.txt' })
    expect(Buffer.from(loaded?.bytes ?? []).toString()).toBe(text)
    expect(loaded?.mimeType).toBe('text/plain; charset=utf-8')
    expect(await say(app, 'read the file tea.txt')).toBe(`tea.txt says:\n${text}`)
    expect(await say(app, 'save this as tea.txt:\nblack')).toBe('I have saved tea.txt (version 1, 5 bytes).')
    expect(await say(app, 'Show me the file tea.txt.')).toBe('tea.txt says:\nblack')
  })

  test('belong to the session, and with `user:` to the user', async () => {
    const app = await started()
    expect(await say(app, 'list my files')).toBe('You have no files yet.')
    await say(app, 'save this as tea.txt: green')
    expect(await say(app, 'save this as user:plan.txt: sleep')).toBe('I have saved user:plan.txt (version 0, 5 bytes).')
    expect(await say(app, 'list my files')).toBe('Your files: tea.txt (5 bytes), user:plan.txt (5 bytes).')
    expect(await say(app, 'which files do I have?', session('s2'))).toBe('Your files: user:plan.txt (5 bytes).')
    expect(await say(app, 'read the file user:plan.txt', session('s2'))).toBe('user:plan.txt says:\nsleep')
    expect(await say(app, 'read the file tea.txt', session('s2'))).toBe(
      'That did not work. There is no file called tea.txt.',
    )
    expect(await say(app, 'list my files', session('s1', 'bob'))).toBe('You have no files yet.')
  })

  test('are shown by their first 4 kB, without half a character, and not at all where they are no text', async () => {
    const app = await started()
    const whole = { ...key, name: 'whole' }
    await app.store.artifacts.save(whole, Buffer.from('x'.repeat(4096)))
    await app.store.artifacts.save({ ...key, name: 'long' }, Buffer.from(`${'x'.repeat(4095)}é${'y'.repeat(600_000)}`))
    await app.store.artifacts.save({ ...key, name: 'image' }, Buffer.from([0x89, 0x50, 0xff, 0xfe]))
    await app.store.artifacts.save({ ...key, name: 'cut' }, Buffer.from('é').subarray(0, 1))
    expect(await say(app, 'read the file whole')).toBe(`whole says:\n${'x'.repeat(4096)}`)
    expect(await say(app, 'read the file long')).toBe(`long begins with:\n${'x'.repeat(4095)}\n… and goes on.`)
    for (const name of ['image', 'cut'])
      expect(await say(app, `read the file ${name}`)).toBe(`That did not work. ${name} is not a text in UTF-8.`)
  })

  test('are listed twenty at once', async () => {
    const app = await started()
    for (let i = 0; i < 21; i++)
      await app.store.artifacts.save({ ...key, name: `f${String(i).padStart(2, '0')}` }, Buffer.from('x'))
    expect(await say(app, 'list my files')).toMatch(/^Your files: f00 \(1 bytes\), .*f19 \(1 bytes\), and more\.$/)
  })

  test.each(['save this as : x', 'save this as tea.txt:', 'save this as tea.txt:  \n ', 'save this as a\nb: x'])(
    'need a name and a text: %j',
    async (text) => expect(await say(await started(), text)).toMatch(/^I did not understand that/),
  )

  test('are refused in words where the store has a limit or no files', async () => {
    const small = await started({ store: createInMemoryStore({ limits: { artifactBytes: 4 } }) })
    expect(await say(small, 'save this as tea.txt: green')).toBe(
      'That did not work. content has 5 bytes, and 4 are allowed.',
    )
    const none = await started({ store: createInMemoryStore({ areas: [] }) })
    for (const text of ['save this as tea.txt: green', 'list my files', 'note that tea is green'])
      expect(await say(none, text)).toMatch(/^That did not work\. .*(?:artifacts|memories)/)
  })

  test('are saved once when the turn is asked for again after a crash', async () => {
    const app = await started()
    const dying = await startApp({ store: dyingAfterTool({ ...app.store, close: async () => {} }) })
    expect((await post(dying, 'save this as user:tea.txt: green', 'm1')).statusCode).toBe(503)
    const name = { ...user, name: 'user:tea.txt' }
    expect((await app.store.artifacts.versions(name)).items).toHaveLength(1)
    for (const again of [dying, app])
      expect((await post(again, 'save this as user:tea.txt: green', 'm1')).json().text).toMatch(/version 0, 5 bytes/)
    expect((await app.store.artifacts.versions(name)).items).toHaveLength(1)
    // The same ids in another session are another turn.
    expect((await post(app, 'save this as user:tea.txt: green', 'm1', session('s2'))).json().text).toMatch(/version 1/)
  })
})

describe('notes', () => {
  test('are found in all sessions of the user, the best first, and by nobody else', async () => {
    const app = await started()
    expect(await say(app, 'Note that Ann likes green tea.')).toBe('I have noted: Ann likes green tea.')
    expect(await say(app, 'save a note: Tea with\nmilk is for Bob')).toBe('I have noted: Tea with\nmilk is for Bob')
    expect(await say(app, 'note: coffee at nine')).toBe('I have noted: coffee at nine')
    expect(await say(app, 'search my notes for GREEN tea', session('s2'))).toBe(
      'Your notes say:\n- Ann likes green tea.\n- Tea with\nmilk is for Bob',
    )
    expect(await say(app, 'what do my notes say about water?')).toBe('Your notes say nothing about water.')
    expect(await say(app, 'search my notes for tea', session('s1', 'bob'))).toBe('Your notes say nothing about tea.')
    const { items } = await app.store.memories.list(user)
    expect(items).toHaveLength(3)
    expect(items).toContainEqual(expect.objectContaining({ author: 'user', sessionId: 's1', text: 'coffee at nine' }))
  })

  test('are answered five at once, each by its beginning', async () => {
    const app = await started()
    for (let i = 0; i < 6; i++) await app.store.memories.add(user, { text: `tea ${'😀'.repeat(300)}` })
    const answer = await say(app, 'search my notes for tea')
    expect(answer.split('\n- ')).toHaveLength(6)
    expect(answer.split('\n- ')[1]).toBe(`tea ${'😀'.repeat(248)}…`)
  })

  test('are kept once when the turn is asked for again after a crash, and not in the place of another', async () => {
    const app = await started()
    const dying = await startApp({ store: dyingAfterTool({ ...app.store, close: async () => {} }) })
    expect((await post(dying, 'note that tea is green', 'm1')).statusCode).toBe(503)
    expect((await app.store.memories.list(user)).items).toHaveLength(1)
    for (const again of [dying, app])
      expect((await post(again, 'note that tea is green', 'm1')).json().text).toBe('I have noted: tea is green')
    expect((await app.store.memories.list(user)).items).toHaveLength(1)
    await post(app, 'note that tea is black', 'm1', session('s2'))
    expect((await app.store.memories.list(user)).items).toHaveLength(2)
  })
})

test('everything of a user is forgotten: notes, files, facts and the other conversations, and nothing of anybody else', async () => {
  const app = await started()
  for (const [url, who] of [
    [session(), 'Ann'],
    [session('s2'), 'Ann'],
    [session('s1', 'bob'), 'Bob'],
  ] as const) {
    await say(app, `my name is ${who}`, url)
    await say(app, `note that ${who} likes tea`, url)
    await say(app, 'save this as tea.txt: green', url)
    await say(app, 'save this as user:plan.txt: sleep', url)
  }
  const left = async (userId: string) => ({
    sessions: (await app.store.sessions.list({ ...user, userId })).items.map(({ sessionId }) => sessionId),
    notes: (await app.store.memories.search({ ...user, userId, scope: 'user', query: 'tea' })).items.length,
    files: (await app.store.artifacts.list({ ...key, userId })).items.map(({ name }) => name),
    facts: (await app.store.state.get({ ...user, userId }))?.state ?? {},
  })
  const bob = await left('bob')
  expect(bob).toMatchObject({ notes: 1, files: ['tea.txt', 'user:plan.txt'], facts: { name: 'Bob' } })
  expect(await say(app, 'Forget everything!')).toMatch(/^I have forgotten everything .*What we have said here stays/)
  expect(await left('ann')).toEqual({ sessions: ['s1'], notes: 0, files: [], facts: {} })
  expect(await say(app, 'forget me')).toMatch(/^I have forgotten everything /)
  expect(await left('bob')).toEqual(bob)
  await app.inject({ method: 'DELETE', url: '/apps/chat/users/ann' })
  expect(await left('ann')).toEqual({ sessions: [], notes: 0, files: [], facts: {} })
})

test('what was forgotten before a crash is said to be forgotten when the turn is asked for again', async () => {
  const app = await started()
  await say(app, 'note that tea is green')
  const dying = await startApp({ store: dyingAfterTool({ ...app.store, close: async () => {} }) })
  expect((await post(dying, 'forget everything', 'm1')).statusCode).toBe(503)
  expect((await app.store.memories.list(user)).items).toEqual([])
  const { text, events } = (await post(app, 'forget everything', 'm1')).json()
  expect(text).toMatch(/^I have forgotten everything about you, your notes/)
  expect(JSON.stringify(events)).toContain('"response":{"deleted":["conversations","notes","files"]}')
})

test('what a user says is forgotten is, also where a store has neither notes nor files', async () => {
  const app = await started({ store: createInMemoryStore({ areas: [] }) })
  await say(app, 'my name is Ann')
  expect(await say(app, 'forget everything')).toMatch(/^I have forgotten everything/)
  expect((await app.store.state.get(user))?.state).toEqual({})
})
