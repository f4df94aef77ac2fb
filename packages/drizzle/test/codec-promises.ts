import type { Store } from '@daybook/core'
import * as fc from 'fast-check'
import { randomBytes } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { anyJson, anyJsonObject } from '../../core/test/arbitraries.ts'
import type { DrizzleStoreOptions } from '../src/options.ts'
import type { CodecContext, PayloadCodec } from '../src/payload-codec.ts'
import { aesGcm, deflate } from './codecs.ts'

/** One database with our tables, and a way to look at what is stored, and to spoil it. */
export interface CodecPlace {
  /** Another store over it. It is closed with the test. */
  readonly open: (options?: DrizzleStoreOptions) => Promise<Store>
  /** Payloads by event id, as JSON text. */
  readonly payloads: () => Promise<Readonly<Record<string, string>>>
  /** The documents of sessions, users and apps, and the initial ones, as JSON text. */
  readonly states: () => Promise<readonly string[]>
  readonly setPayload: (eventId: string, text: string) => Promise<void>
  /** Of the one session. */
  readonly setState: (text: string) => Promise<void>
}

const key = { appName: 'shop', userId: 'ann', sessionId: 's1' }
const aes = (id: string) => aesGcm(id, randomBytes(32))
const secret = 'S3CRET'

/** What a codec promises on every database. */
export function codecPromises(newPlace: () => Promise<CodecPlace>): void {
  vi.setConfig({ testTimeout: 60_000 }) // a server may be busy
  test.for([aes('k1'), deflate])('any JSON comes back as it was, through $id', { timeout: 120_000 }, async (codec) => {
    const { open } = await newPlace()
    const store = await open({ codec })
    const other = await open({ codec })
    let n = 0
    const values = fc.tuple(anyJson, anyJsonObject, anyJsonObject)
    await fc.assert(
      fc.asyncProperty(values, async ([content, state, delta]) => {
        const session = await store.sessions.create({ ...key, sessionId: `s${n++}`, state: untimed(state) })
        const event = { id: 'e1', timestamp: 1, content, actions: { stateDelta: untimed(delta) } }
        await store.events.append(session, event)
        const loaded = await other.sessions.get(session, { events: 'all' })
        expect(loaded?.events).toEqual([{ seq: 1, event }])
        expect(loaded?.state).toMatchObject({ ...untimed(state), ...untimed(delta) })
        await other.sessions.update(session, { replace: scopeless(delta) })
        expect(await ownState(store, session)).toEqual(scopeless(delta))
      }),
      { numRuns: 40 },
    )
  })

  test('what was said in a metric is encoded, comes back as it was, and is found by what is not', async () => {
    const { open } = await newPlace()
    const [store, plain, other] = [await open({ codec: aes('k1') }), await open(), await open({ codec: aes('k1') })]
    const row = { appName: 'shop', operationName: 'answer', traceId: 't1' }
    let n = 0
    await fc.assert(
      fc.asyncProperty(anyJson, async (content) => {
        const metric = { ...row, spanId: `s${n++}`, content, customAttributes: { n } }
        await store.metrics.record([metric])
        const where = { attributes: [{ path: ['n'], op: 'eq', value: n }] } as const
        const { items } = await store.metrics.query({ appName: 'shop', where, fields: 'full' })
        expect(items).toMatchObject([{ spanId: metric.spanId, ...(content !== null && { content }) }])
      }),
      { numRuns: 30 },
    )
    await plain.metrics.record([{ ...row, appName: 'clear', content: { secret } }])
    expect((await store.metrics.query({ appName: 'clear', fields: 'full' })).items).toMatchObject([
      { content: { secret } },
    ])
    const said = { ...row, appName: 'said', content: { secret } }
    await store.metrics.record([said])
    await expect(plain.metrics.query({ appName: 'said', fields: 'full' })).rejects.toMatchObject({
      code: 'unsupported',
    })
    await expect(other.metrics.query({ appName: 'said', fields: 'full' })).rejects.toMatchObject({ code: 'corrupt' })
    expect((await plain.metrics.query({ appName: 'said', fields: 'light' })).items).toHaveLength(1)
  })

  test('what a codec writes shows nothing of it, but for ids, times, the keys of state and the columns that filters use', async () => {
    const { open, payloads, states } = await newPlace()
    const store = await open({ codec: aes('k1') })
    const state = { plain: secret, 'user:size': { secret }, 'app:theme': [secret] }
    const session = await store.sessions.create({ ...key, state })
    await store.events.append(session, {
      id: 'e1',
      author: 'agent',
      content: { parts: [{ text: secret }] },
      actions: { stateDelta: { more: secret, 'user:more': secret, 'app:more': secret } },
    })
    await store.sessions.update(session, { set: { updated: secret } })
    await store.state.update({ appName: 'shop' }, { set: { replaced: secret } })
    const stored = [...Object.values(await payloads()), ...(await states())]
    expect(stored.length).toBeGreaterThanOrEqual(5)
    expect(stored.join('\n')).not.toContain(secret)
    for (const text of stored) expect(text, 'and each of them is encoded').toMatch(/k1/)
    expect((await states()).join('\n')).toMatch(/"more"/)
    expect((await store.events.list(session, { author: 'agent' })).items).toHaveLength(1)
    expect((await store.sessions.get(session))?.state).toEqual({
      ...state,
      more: secret,
      updated: secret,
      'user:more': secret,
      'app:more': secret,
      'app:replaced': secret,
    })
    expect(store.capabilities).toMatchObject({ jsonPathFilter: 'no', jsonPathIndex: 'no' })
    const where = [{ path: ['plain'], op: 'eq', value: secret }] as const
    await expect(store.sessions.list({ appName: 'shop', where })).rejects.toMatchObject({
      code: 'unsupported',
      facts: { capability: 'jsonPathFilter' },
    })
  })

  test('a codec can be switched on over data, and its key changed: what is written is read by its own codec', async () => {
    const { open, payloads, states } = await newPlace()
    const [first, second] = [aes('k1'), aes('k2')]
    const odd = { unmarked: '=k1:AAAA', marked: '\u0001=k1:AAAA', codec: 'k1', data: 'AAAA', nul: '\0' }
    const plain = await open()
    const session = await plain.sessions.create({ ...key, state: odd })
    await plain.events.append(session, { id: 'plain', codec: 'k1', data: 'AAAA' })
    const encrypting = await open({ codec: first })
    await encrypting.events.append(session, { id: 'first', actions: { stateDelta: { a: 1, b: 1 } } })
    const rotated = await open({ codec: [second, first] })
    await rotated.events.append(session, { id: 'second', actions: { stateDelta: { b: 2 } } })

    expect(await payloads()).toMatchObject({
      plain: expect.stringMatching(/"plain"/),
      first: expect.stringMatching(/"k1"/),
      second: expect.stringMatching(/"k2"/),
    })
    expect(await states()).toContainEqual(expect.stringMatching(/"marked".*k2|k2.*"marked"/))
    const loaded = await rotated.sessions.get(session, { events: 'all' })
    expect(loaded?.state).toEqual({ ...odd, a: 1, b: 2 })
    expect(loaded?.events?.map(({ event }) => event.id)).toEqual(['plain', 'first', 'second'])
    expect(loaded?.events?.[0]?.event).toMatchObject({ codec: 'k1', data: 'AAAA' })

    for (const [without, named] of [
      [await open({ codec: second }), 'k1'],
      [await open({ codec: first }), 'k2'],
      [await open(), /k[12]/],
    ] as const) {
      const refused = await without.sessions.get(session, { events: 'all' }).catch((error: unknown) => error)
      expect(refused).toMatchObject({ code: 'unsupported', facts: { capability: 'codec' } })
      expect(String(refused)).toMatch(named)
    }
    await rotated.sessions.update(session, { set: { c: 3 } })
    const onlySecond = await open({ codec: second })
    expect((await onlySecond.sessions.get(session))?.state, 'a rewritten document has the new key').toEqual({
      ...odd,
      a: 1,
      b: 2,
      c: 3,
    })
  })

  test('writers at once lose no key of state, and a repeated event is known by what it says', async () => {
    const { open } = await newPlace()
    const codec = aes('k1')
    const [store, other] = await Promise.all([open({ codec }), open({ codec })])
    const session = await store.sessions.create(key)
    const appends = Array.from({ length: 12 }, (_, i) => ({
      id: `e${i}`,
      timestamp: i,
      content: { i },
      actions: { stateDelta: { [`k${i}`]: i, 'user:last': i, [`app:k${i}`]: i } },
    }))
    await Promise.all(appends.map((event, i) => (i % 2 === 0 ? store : other).events.append(session, event)))
    const loaded = await store.sessions.get(session)
    for (const [i] of appends.entries()) expect(loaded?.state).toMatchObject({ [`k${i}`]: i, [`app:k${i}`]: i })
    expect(loaded).toMatchObject({ lastSeq: 12, revision: 13 })

    const event = { ...appends[0] }
    const { events } = await store.events.append(session, event)
    expect(events).toMatchObject([{ id: 'e0', duplicate: true }])
    const revised = { ...event, content: secret }
    await expect(store.events.append(session, revised)).rejects.toMatchObject({ code: 'conflict' })
    const { state, newEvents } = await store.events.append(session, revised, {
      onDuplicate: 'replace',
      eventsAfterSeq: 0,
    })
    expect(state).toMatchObject({ k0: 0, k11: 11 })
    expect(newEvents).toHaveLength(11)
    expect(await store.events.get(session, 'e0')).toMatchObject({ event: { content: secret } })
  })

  test('history, forks, lists and tails are read through it', async () => {
    const { open } = await newPlace()
    const store = await open({ codec: [aes('k1'), deflate] })
    const session = await store.sessions.create({ ...key, state: { at: 0 } })
    for (const at of [1, 2, 3])
      await store.events.append(session, { id: `e${at}`, actions: { stateDelta: { at, 'user:at': at } } })
    expect(await store.sessions.stateAt(session, 0)).toEqual({ at: 0 })
    expect(await store.sessions.stateAt(session, 2)).toEqual({ at: 2 })
    const fork = await store.sessions.fork(session, { sessionId: 's2', throughSeq: 2 })
    expect(fork.state).toEqual({ at: 2, 'user:at': 3 })
    expect(await store.sessions.stateAt(fork, 0)).toEqual({ at: 0 })
    expect((await store.events.list(fork)).items).toMatchObject([{ event: { id: 'e1' } }, { event: { id: 'e2' } }])
    await store.events.append(fork, { id: 'e3', actions: { stateDelta: { at: 'fork' } } })
    const { items } = await store.sessions.list({ appName: 'shop', userId: 'ann', state: true, orderBy: 'createdAt' })
    expect(Object.fromEntries(items.map(({ sessionId, state }) => [sessionId, state?.['at']]))).toEqual({
      s1: 3,
      s2: 'fork',
    })
    const seen: string[] = []
    for await (const { event } of store.events.tail(session)) if (seen.push(event.id) === 3) break
    expect(seen).toEqual(['e1', 'e2', 'e3'])
    expect(await store.state.get({ appName: 'shop', userId: 'ann' })).toMatchObject({ state: { at: 3 } })
    expect((await store.sessions.get(session, { events: { last: 2 } }))?.events).toMatchObject([{ seq: 2 }, { seq: 3 }])
  })

  test('what somebody changed or moved is corrupt, by name, and the error has nothing of it', async () => {
    const { open, payloads, states, setPayload, setState } = await newPlace()
    const store = await open({ codec: aes('k1') })
    const session = await store.sessions.create({ ...key, state: { a: `${secret}a`, b: `${secret}b` } })
    await store.events.append(session, [
      { id: 'e1', content: secret },
      { id: 'e2', content: secret },
    ])
    const { e1 = '', e2 = '' } = await payloads()
    const corrupt = async (read: () => Promise<unknown>, name: string) => {
      const error: unknown = await read().catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({ code: 'corrupt', message: expect.stringContaining(name) })
      expect(String(error) + JSON.stringify(error)).not.toMatch(new RegExp(`${secret}|${dataOf(e1)}`))
    }
    for (const wrong of [
      e2,
      spoiled(e1),
      e1.replace(/(?<="data": ?")./, '!'),
      e1.replace(/.(?="\}$)/, ''),
      '{"id":7}',
      '[]',
    ]) {
      await setPayload('e1', wrong)
      await corrupt(() => store.events.get(session, 'e1'), 'event e1')
      await corrupt(() => store.sessions.get(session, { events: 'all' }), 'event e1')
    }
    await setPayload('e1', e1)
    expect(await store.events.get(session, 'e1')).toMatchObject({ event: { content: secret } })

    const [state = ''] = await states()
    const document = JSON.parse(state) as Record<string, string>
    for (const wrong of [
      { a: document['b'], b: document['b'] },
      { a: `${document['a']?.slice(0, -6)}AAAAAA`, b: document['b'] },
      { a: `${document['a']}*`, b: document['b'] },
    ]) {
      await setState(JSON.stringify(wrong))
      await corrupt(() => store.sessions.get(session), '"a"')
      await corrupt(() => store.sessions.list({ appName: 'shop', state: true }), '"a"')
    }
    await setState(JSON.stringify(document))
    expect(await ownState(store, session)).toEqual({ a: `${secret}a`, b: `${secret}b` })
  })

  test('limits count what is encoded, not what is stored', async () => {
    const { open, states } = await newPlace()
    const limits = { stateBytes: 1_000, eventBytes: 1_500 }
    const [packing, growing] = [
      await open({ limits, codec: deflate }),
      await open({ limits, codec: [aes('k1'), deflate] }),
    ]
    for (const store of [packing, growing]) {
      for (const scope of ['', 'user:', 'app:']) {
        const session = await store.sessions.create({
          ...key,
          sessionId: `${scope}${store === packing}`,
          userId: `${store === packing}`,
          appName: `${store === packing}`,
        })
        const append = (id: string, delta: Readonly<Record<string, unknown>>) =>
          store.events.append(session, { id, actions: { stateDelta: delta } })
        await append('fits', { [`${scope}a`]: 'x'.repeat(900) })
        await expect(append('over', { [`${scope}b`]: 'x'.repeat(300) })).rejects.toMatchObject({
          code: 'limit_exceeded',
          facts: { limit: 1_000 },
        })
        // Neither one that does not pack beside one that does, nor the other way round.
        await expect(append('over', { [`${scope}b`]: noise(300) })).rejects.toMatchObject({ code: 'limit_exceeded' })
        await append('noisy', { [`${scope}a`]: noise(600) })
        await expect(append('over', { [`${scope}b`]: 'x'.repeat(600) })).rejects.toMatchObject({
          code: 'limit_exceeded',
        })
        await append('less', { [`${scope}b`]: 1 })
        await append('instead', { [`${scope}a`]: 'y'.repeat(950) })
        expect((await store.sessions.get(session))?.state).toMatchObject({
          [`${scope}a`]: 'y'.repeat(950),
          [`${scope}b`]: 1,
        })
      }
    }
    const sizes = (await states()).filter((text) => text.length > 20).map(({ length }) => length)
    expect(Math.min(...sizes), 'one was stored smaller').toBeLessThan(500)
    expect(Math.max(...sizes), 'and one larger than the limit').toBeGreaterThan(1_000)
  })

  test('a codec that fails, or is asynchronous, fails the call before anything is written', async () => {
    const { open, payloads } = await newPlace()
    const session = await (await open()).sessions.create(key)
    for (const encode of [
      () => Promise.resolve(Buffer.from(secret)),
      () => secret,
      () => {
        throw new Error('the key is away')
      },
    ]) {
      const store = await open({ codec: broken(encode) })
      const error: unknown = await store.events
        .append(session, { id: 'e1', content: secret })
        .catch((thrown: unknown) => thrown)
      expect(error).toMatchObject({
        code: 'internal',
        message: expect.stringContaining('codec deflate could not encode event e1'),
      })
      expect(String(error)).not.toContain(secret)
    }
    expect(await payloads()).toEqual({})
  })

  test('the context is the same when a value is written and when it is read', async () => {
    const { open } = await newPlace()
    const contexts = { encode: new Set<string>(), decode: new Set<string>() }
    const noted = (kind: 'encode' | 'decode', bytes: Uint8Array, context: CodecContext) => {
      contexts[kind].add(JSON.stringify(context))
      return bytes
    }
    const codec: PayloadCodec = {
      id: 'noting',
      encode: (bytes, context) => noted('encode', bytes, context),
      decode: (bytes, context) => noted('decode', bytes, context),
    }
    const store = await open({ codec })
    const session = await store.sessions.create({ ...key, state: { a: 1, 'user:b': 2, 'app:c': 3 } })
    await store.events.append(session, { id: 'e1', actions: { stateDelta: { d: 4 } } })
    await store.sessions.get(session, { events: 'all' })
    expect([...contexts.decode].toSorted()).toEqual([...contexts.encode].toSorted())
    expect([...contexts.encode].toSorted()).toEqual([
      '{"what":"app state","appName":"shop","key":"c"}',
      '{"what":"event","appName":"shop","userId":"ann","eventId":"e1"}',
      '{"what":"session state","appName":"shop","userId":"ann","sessionId":"s1","key":"a"}',
      '{"what":"session state","appName":"shop","userId":"ann","sessionId":"s1","key":"d"}',
      '{"what":"user state","appName":"shop","userId":"ann","key":"b"}',
    ])
  })
}

const spoiled = (text: string) => text.replace(/(?<="data": ?")./, (letter) => (letter === 'A' ? 'B' : 'A'))

const broken = (encode: (plain: Uint8Array) => unknown): PayloadCodec => ({
  ...deflate,
  encode: encode as PayloadCodec['encode'], // what a program without types may hand over
})

/** Text that no compression makes smaller. */
const noise = (length: number) => randomBytes(length).toString('base64').slice(0, length)

const dataOf = (payload: string) => /"data": ?"([^"]{20})/.exec(payload)?.[1]?.replace(/[+/]/g, String.raw`\$&`)

const isOwn = (name: string) => !/^(?:app|user|temp):/.test(name)
const kept = (document: object, keep: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(document).filter(([name]) => keep(name)))
/** Without what is not stored. */
const untimed = (document: object) => kept(document, (name) => !name.startsWith('temp:'))
/** Without what belongs to other scopes. */
const scopeless = (document: object) => kept(document, isOwn)

async function ownState(store: Store, session: Parameters<Store['sessions']['get']>[0]) {
  return scopeless((await store.sessions.get(session))?.state ?? {})
}
