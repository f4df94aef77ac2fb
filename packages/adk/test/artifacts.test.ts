import { createInMemoryStore } from '@daybook/core'
import {
  FunctionTool,
  InMemoryArtifactService,
  LlmAgent,
  LOAD_ARTIFACTS,
  Runner,
  type BaseArtifactService,
} from '@google/adk'
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { DaybookArtifactService, DaybookSessionService } from '../src/index.ts'
import { benchOn, databases } from './databases.ts'
import { call, say, ScriptedModel } from './scripted-model.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const png = (data: string) => ({ inlineData: { mimeType: 'image/png', data } })

describe.each(databases)('on $name', (database) => {
  const bench = benchOn(database)

  /** A session that is there, its service, and the artifacts of another process. */
  async function begun(userId = 'ann', sessionId = 's1') {
    const key = { appName: bench.app(), userId, sessionId }
    await bench.service.createSession(key)
    return {
      key,
      artifacts: new DaybookArtifactService(bench.service),
      elsewhere: new DaybookArtifactService(bench.another()),
    }
  }

  test('versions are counted from 0, and the newest or one of them is loaded [§4 saveArtifact; §4 loadArtifact; §4 versions]', async () => {
    const { key, artifacts, elsewhere } = await begun()
    const file = { ...key, filename: 'a.txt' }
    for (const [i, text] of ['zero', 'one', 'two'].entries())
      expect(await artifacts.saveArtifact({ ...file, artifact: { text }, customMetadata: { i } })).toBe(i)
    expect(await elsewhere.loadArtifact(file)).toEqual({ text: 'two' })
    expect(await elsewhere.loadArtifact({ ...file, version: 0 })).toEqual({ text: 'zero' })
    expect(await elsewhere.listVersions(file)).toEqual([0, 1, 2])
    expect(await elsewhere.listArtifactVersions(file)).toEqual(
      [0, 1, 2].map((i) => ({ version: i, mimeType: 'text/plain', customMetadata: { i } })),
    )
    expect(await elsewhere.getArtifactVersion(file)).toMatchObject({ version: 2, customMetadata: { i: 2 } })
    expect(await elsewhere.getArtifactVersion({ ...file, version: 1 })).toMatchObject({ version: 1 })
  })

  test('savers at once get versions of their own, the first two 0 and 1 [§4 versions]', async () => {
    const { key, artifacts, elsewhere } = await begun()
    for (const filename of ['a', 'user:a']) {
      const saved = await Promise.all(
        Array.from({ length: 12 }, (_, i) =>
          (i % 2 === 0 ? artifacts : elsewhere).saveArtifact({ ...key, filename, artifact: { text: `${i}` } }),
        ),
      )
      expect(saved.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 12 }, (_, i) => i))
      const loaded = await Promise.all(saved.map((version) => artifacts.loadArtifact({ ...key, filename, version })))
      expect(loaded.map((part) => part?.text)).toEqual(saved.map((_, i) => `${i}`))
    }
  })

  test('what is missing is undefined or empty, and deleting it is quiet [§4 missing]', async () => {
    const { key, artifacts } = await begun()
    const file = { ...key, filename: 'none' }
    await artifacts.saveArtifact({ ...key, filename: 'some', artifact: { text: 'x' } })
    for (const one of [
      file,
      { ...file, version: 3 },
      { ...file, filename: 'some', version: 1 },
      { ...file, filename: 'some', version: -1 },
      { ...file, filename: 'some', version: 0.5 },
      { ...file, filename: '' },
      { ...file, filename: 'x'.repeat(300) },
      { ...file, filename: 'some', sessionId: 'none' },
    ]) {
      expect(await artifacts.loadArtifact(one)).toBeUndefined()
      expect(await artifacts.getArtifactVersion(one)).toBeUndefined()
    }
    expect([await artifacts.listVersions(file), await artifacts.listArtifactVersions(file)]).toEqual([[], []])
    expect(await artifacts.listArtifactKeys({ ...key, sessionId: 'none' })).toEqual([])
    expect(await artifacts.deleteArtifact(file)).toBeUndefined()
    expect(await artifacts.deleteArtifact({ ...file, filename: '' })).toBeUndefined()
    expect(await artifacts.loadArtifact({ ...key, filename: 'some' })).toEqual({ text: 'x' })
  })

  test('delete removes all versions, after which the first is 0 again [§4 delete]', async () => {
    const { key, artifacts, elsewhere } = await begun()
    const file = { ...key, filename: 'a' }
    for (const text of ['x', 'y']) await artifacts.saveArtifact({ ...file, artifact: { text } })
    await artifacts.saveArtifact({ ...key, filename: 'ab', artifact: { text: 'z' } })
    await artifacts.deleteArtifact(file)
    expect([await elsewhere.listVersions(file), await elsewhere.loadArtifact(file)]).toEqual([[], undefined])
    expect(await elsewhere.listArtifactKeys(key)).toEqual(['ab'])
    expect(await artifacts.saveArtifact({ ...file, artifact: { text: 'again' } })).toBe(0)
  })

  test('inlineData counts before text before fileData, and an empty text is none [§4 content; §4 fileData]', async () => {
    const { key, artifacts } = await begun()
    const fileData = { fileUri: 'gs://bucket/x', mimeType: 'video/mp4', displayName: 'x' }
    const file = { ...key, filename: 'a' }
    const saved = async (artifact: object) => {
      await artifacts.saveArtifact({ ...file, artifact })
      return artifacts.loadArtifact(file)
    }
    expect(await saved({ ...png(base64('x')), text: 'y', fileData })).toEqual(png(base64('x')))
    expect(await saved({ text: 'y', fileData })).toEqual({ text: 'y' })
    expect(await saved({ text: '', fileData })).toEqual({ fileData })
    expect(await artifacts.getArtifactVersion(file)).toEqual({ version: 2, mimeType: 'video/mp4' })
    const rejected = 'Artifact must have either inlineData or text content.'
    for (const artifact of [{}, { text: '' }, { thought: true }])
      await expect(artifacts.saveArtifact({ ...file, artifact })).rejects.toThrow(rejected)
    await expect(artifacts.saveArtifact({ ...file, artifact: { fileData: { mimeType: 'a/b' } } })).rejects.toThrow(
      'Artifact fileData must have a fileUri.',
    )
    expect(await artifacts.listVersions(file)).toEqual([0, 1, 2])
  })

  test('Base64 comes back as it went in, with type and name, and what a part has besides [§4 inlineData]', async () => {
    const { key, artifacts, elsewhere } = await begun()
    const parts = [
      {
        inlineData: {
          mimeType: 'application/pdf',
          displayName: 'Räport.pdf',
          data: randomBytes(700_001).toString('base64'),
        },
      },
      { inlineData: { mimeType: '', data: '' } },
      { inlineData: { data: base64('no type') } },
      { inlineData: { mimeType: `x/${'y'.repeat(400)}`, data: base64('long type') } },
      { ...png(base64('video')), videoMetadata: { startOffset: '1s' } },
      { text: 'ünïcödé 😀 \0', thought: true },
      { text: 'half \ud83d of a pair' },
    ]
    for (const [i, artifact] of parts.entries()) {
      const before = structuredClone(artifact)
      await artifacts.saveArtifact({ ...key, filename: `f${i}`, artifact })
      expect(artifact).toEqual(before)
      expect(await elsewhere.loadArtifact({ ...key, filename: `f${i}` })).toEqual(artifact)
    }
    await artifacts.saveArtifact({ ...key, filename: 'url', artifact: png('-_8') })
    expect(await artifacts.loadArtifact({ ...key, filename: 'url' })).toEqual(png('+/8='))
    await expect(
      artifacts.saveArtifact({ ...key, filename: 'bad', artifact: png('no base64!') }),
    ).rejects.toMatchObject({
      code: 'invalid_argument',
    })
  })

  test('a name with user: is one for all sessions of that user in that app [§4 user: file name]', async () => {
    const { key, artifacts } = await begun()
    for (const other of [
      { ...key, sessionId: 's2' },
      { ...key, userId: 'bob' },
    ])
      await bench.service.createSession(other)
    await artifacts.saveArtifact({ ...key, filename: 'user:a', artifact: { text: 'mine' } })
    const file = { ...key, filename: 'user:a' }
    expect(await artifacts.loadArtifact({ ...file, sessionId: 's2' })).toEqual({ text: 'mine' })
    expect(await artifacts.listArtifactKeys({ ...key, sessionId: 's2' })).toEqual(['user:a'])
    expect(await artifacts.saveArtifact({ ...file, sessionId: 's2', artifact: { text: 'again' } })).toBe(1)
    expect(await artifacts.loadArtifact({ ...file, userId: 'bob' })).toBeUndefined()
    expect(await artifacts.loadArtifact({ ...file, appName: bench.app() })).toBeUndefined()
    expect(await artifacts.loadArtifact({ ...file, filename: 'a' })).toBeUndefined()
    await bench.service.deleteSession(key)
    expect(await artifacts.loadArtifact({ ...file, sessionId: 's2' })).toEqual({ text: 'again' })
  })

  test('keys of session and user are listed by code unit, and names are values [§4 listArtifactKeys; §4 names]', async () => {
    const { key, artifacts } = await begun()
    const names = [
      'b',
      'B',
      'a',
      '😀',
      '\uffff',
      'user:x',
      'user:../y',
      '/',
      '..',
      '__proto__',
      'constructor',
      'a/b',
      '%2F',
    ]
    for (const filename of names) await artifacts.saveArtifact({ ...key, filename, artifact: { text: filename } })
    expect(await artifacts.listArtifactKeys(key)).toEqual(names.toSorted())
    for (const filename of names) expect(await artifacts.loadArtifact({ ...key, filename })).toEqual({ text: filename })
    await bench.service.createSession({ ...key, sessionId: 's1/a' })
    await artifacts.saveArtifact({ ...key, sessionId: 's1/a', filename: 'b', artifact: { text: 'other' } })
    expect(await artifacts.loadArtifact({ ...key, filename: 'a/b' })).toEqual({ text: 'a/b' })
  })

  test('what was saved without ADK is a file of its type, whatever its metadata say', async () => {
    const { key, artifacts } = await begun()
    const store = await bench.store()
    const bytes = Buffer.from('%PDF')
    const data = bytes.toString('base64')
    const others = [
      {},
      { text: 'none' },
      { text: 'utf8' },
      { text: 'hex', part: {} },
      { part: 5, custom: { a: 1 } },
      { part: { inlineData: 'x' } },
    ]
    for (const [i, metadata] of others.entries()) {
      const file = { ...key, filename: `f${i}` }
      await store.artifacts.save({ ...key, name: file.filename }, bytes, { mimeType: 'application/pdf', metadata })
      expect(await artifacts.loadArtifact(file)).toEqual({ inlineData: { mimeType: 'application/pdf', data } })
      expect(await artifacts.getArtifactVersion(file)).toEqual({ version: 0, mimeType: 'application/pdf' })
    }
    await store.artifacts.save({ ...key, name: 'untyped' }, bytes)
    expect(await artifacts.loadArtifact({ ...key, filename: 'untyped' })).toEqual({ inlineData: { data } })
  })

  test('a request may carry more than it says, and no version has a URI [§4 scope; §4 canonicalUri]', async () => {
    const { key, artifacts } = await begun()
    const request = { ...key, filename: 'a', artifact: { text: 'x' }, scope: { appName: 'other' }, signal: 5 }
    expect(await artifacts.saveArtifact(request)).toBe(0)
    expect(Object.keys((await artifacts.getArtifactVersion(request)) ?? {})).toEqual(['version', 'mimeType'])
    expect((await artifacts.listArtifactVersions(request)).map((one) => Object.keys(one))).toEqual([
      ['version', 'mimeType'],
    ])
  })

  test('a session that is not there is told by ADK’s words, and gets nothing', async () => {
    const { key, artifacts } = await begun()
    await expect(
      artifacts.saveArtifact({ ...key, sessionId: 'none', filename: 'a', artifact: { text: 'x' } }),
    ).rejects.toThrow('Session none not found for saveArtifact')
    await bench.service.deleteSession(key)
    await expect(artifacts.saveArtifact({ ...key, filename: 'a', artifact: { text: 'x' } })).rejects.toThrow(
      'not found',
    )
  })

  test('the runner saves what is uploaded, and a tool loads it and saves its own [§4 tools; §4 canonicalUri]', async () => {
    const { key, artifacts, elsewhere } = await begun()
    const { appName, userId, sessionId } = key
    const saving = new FunctionTool({
      name: 'note',
      description: 'writes a note',
      execute: async (_, context) => ({
        version: await context?.saveArtifact('note.txt', { text: 'from a tool' }),
        keys: await context?.listArtifacts(),
      }),
    })
    const model = new ScriptedModel([
      call({ name: 'load_artifacts', args: { artifact_names: ['photo.png', 'missing', ''] } }),
      call('note'),
      say('done'),
    ])
    const agent = new LlmAgent({ name: 'agent', model, tools: [LOAD_ARTIFACTS, saving] })
    const runner = new Runner({ appName, agent, sessionService: bench.service, artifactService: artifacts })
    const blob = { inlineData: { mimeType: 'image/png', displayName: 'photo.png', data: base64('pixels') } }
    const newMessage = { role: 'user', parts: [{ text: 'look' }, blob] }
    const events = []
    const runConfig = { saveInputBlobsAsArtifacts: true }
    for await (const event of runner.runAsync({ userId, sessionId, newMessage, runConfig })) events.push(event)
    const keys = await elsewhere.listArtifactKeys(key)
    expect(keys).toContain('note.txt')
    const uploaded = keys.find((name) => name !== 'note.txt') ?? ''
    expect((await elsewhere.loadArtifact({ ...key, filename: uploaded }))?.inlineData?.data).toBe(base64('pixels'))
    expect(await elsewhere.loadArtifact({ ...key, filename: 'note.txt' })).toEqual({ text: 'from a tool' })
    const note = events
      .flatMap(({ content }) => content?.parts ?? [])
      .find((part) => part.functionResponse?.name === 'note')
    expect(note?.functionResponse?.response).toMatchObject({
      version: 0,
      keys: expect.arrayContaining(['note.txt']) as string[],
    })
    expect(events.map(({ actions }) => actions.artifactDelta['note.txt'])).toContain(0)
    const session = await bench.service.getSession(key)
    expect(session?.events[0]?.content?.parts).toHaveLength(2)
    expect(JSON.stringify(session?.events[0])).not.toContain('fileUri')
  })
})

test('it answers as ADK’s own service does, where that is right', async () => {
  const key = { appName: 'app', userId: 'ann', sessionId: 's1' }
  const sessions = new DaybookSessionService(createInMemoryStore())
  await sessions.createSession(key)
  const script = async (service: BaseArtifactService) => {
    const file = { ...key, filename: 'a' }
    const answers: unknown[] = [await service.loadArtifact(file), await service.listArtifactKeys(key)]
    answers.push(await service.saveArtifact({ ...file, artifact: png(base64('1')) }))
    answers.push(await service.saveArtifact({ ...file, artifact: { text: 'two' } }))
    answers.push(await service.saveArtifact({ ...file, filename: 'user:b', artifact: { text: 'three' } }))
    answers.push(
      await service.listArtifactKeys(key),
      await service.listVersions(file),
      await service.loadArtifact(file),
    )
    answers.push(
      await service.loadArtifact({ ...file, version: 0 }),
      await service.loadArtifact({ ...file, version: 9 }),
    )
    await service.deleteArtifact(file)
    answers.push(await service.listVersions(file), await service.saveArtifact({ ...file, artifact: { text: 'x' } }))
    return answers
  }
  expect(await script(new DaybookArtifactService(sessions))).toEqual(await script(new InMemoryArtifactService()))
})
