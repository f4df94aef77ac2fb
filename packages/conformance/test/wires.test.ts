import * as fc from 'fast-check'
import { createServer, connect, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openProxy } from '../src/faults.ts'
import { phases, type Phase, type Wire } from '../src/wire.ts'
import { libsqlWire, mysqlWire, postgresWire } from '../src/wires/index.ts'

const int32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const pg = (type: string, text: string) => {
  const body = Buffer.from(text, 'latin1')
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}
const packet = (sequence: number, body: Buffer) =>
  Buffer.concat([Buffer.from([body.length % 256, body.length >> 8, 0, sequence]), body])
const request = (body: unknown) => {
  const text = JSON.stringify(body)
  return Buffer.from(`POST /v2/pipeline HTTP/1.1\r\ncontent-length: ${text.length}\r\n\r\n${text}`)
}
const query = (sql: string) => ({ type: 'execute', stmt: { sql } })

const streams: Readonly<Record<string, { wire: Wire; bytes: Buffer; phases: readonly Phase[] }>> = {
  PostgreSQL: {
    wire: postgresWire,
    bytes: Buffer.concat([
      Buffer.concat([int32(8), int32(80_877_103)]), // asks for TLS
      Buffer.concat([int32(13), int32(196_608), Buffer.from('user\0')]),
      pg('Q', 'begin\0'),
      pg('P', 'one\0insert into t values ($1)\0\0\0'),
      pg('B', '\0one\0\0\0\0\0'),
      pg('E', '\0\0\0\0\0'),
      pg('S', ''),
      pg('Q', 'COMMIT\0'),
      pg('B', '\0one\0\0\0\0\0'),
      pg('E', '\0\0\0\0\0'),
      pg('X', ''),
    ]),
    phases: ['begin', 'write', 'commit', 'commit'],
  },
  MySQL: {
    wire: mysqlWire,
    bytes: Buffer.concat([
      packet(1, Buffer.from('the handshake')),
      packet(0, Buffer.from('\u0003start transaction')),
      packet(0, Buffer.from('\u0003select 1 for update')),
      packet(0, Buffer.from('\u0003update t set a = 1')),
      packet(0, Buffer.from('\u0003rollback')),
      packet(0, Buffer.from('\u0003begin not atomic insert into t values (1); commit; end')),
      packet(0, Buffer.from('\u0003set statement innodb_lock_wait_timeout = 5 for begin not atomic commit; end')),
    ]),
    phases: ['begin', 'read', 'write', 'rollback', 'commit', 'commit'],
  },
  libSQL: {
    wire: libsqlWire,
    bytes: Buffer.concat([
      request({ baton: null, requests: [query('select 1')] }),
      request({ baton: null, requests: [{ type: 'store_sql', sql_id: 1, sql: 'begin immediate' }, query('select 2')] }),
      request({ baton: 'b', requests: [query('insert into t values (1)')] }),
      request({ baton: 'b', requests: [query('COMMIT'), { type: 'close' }] }),
    ]),
    phases: ['read', 'read', 'commit', 'commit'],
  },
}

test.each(Object.entries(streams))('the statements of %s are the same however their bytes come', (_name, stream) => {
  const cuts = fc.array(fc.integer({ min: 0, max: stream.bytes.length }), { maxLength: 12 })
  fc.assert(
    fc.property(cuts, (at) => {
      const reader = stream.wire()
      const ends = [...at.toSorted((a, b) => a - b), stream.bytes.length]
      const found = ends.flatMap((end, i) => reader.sent(stream.bytes.subarray(ends[i - 1] ?? 0, end)))
      expect(found).toEqual(stream.phases)
    }),
    { numRuns: 200 },
  )
})

test('a statement of MySQL that is prepared is known by the number that the server gave it', () => {
  const reader = mysqlWire()
  reader.sent(packet(0, Buffer.from('\u0016insert into t values (?)')))
  reader.received?.(packet(1, Buffer.from([0, 7, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0])))
  expect(reader.sent(packet(0, Buffer.from([0x17, 7, 0, 0, 0, 0])))).toEqual(['commit'])
})

test.each([
  ['BEGIN IMMEDIATE', 'begin'],
  ['/* app */ insert into t values (1)', 'write'],
  ['rollback to savepoint a', 'read'],
  ['savepoint a', 'read'],
  ['with a as (update t set b = 1 returning b) select * from a', 'write'],
  ['with a as (select 1) select * from a for update', 'read'],
  ['rollback', 'rollback'],
  ['with a as (select 1), b as (insert into t values (1)) select 1', 'commit'],
])('%s: %s', (sql, expected) => {
  const phaseOf = phases()
  if (!/^begin|insert into t values \(1\)\) select/i.test(sql)) phaseOf('begin')
  expect(phaseOf(sql)).toBe(expected)
})

const words: Wire = () => ({ sent: (bytes) => [String(bytes) === 'commit' ? 'commit' : 'read'] })

test('what a fault does to a connection', async () => {
  const heard: string[] = []
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (bytes) => {
        heard.push(String(bytes))
        socket.write('answer')
      })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // of a server that listens on TCP
  const proxy = await openProxy({ host: '127.0.0.1', port }, words)
  onTestFinished(async () => {
    await proxy.close()
    server.close()
  })
  /** What comes back, and how it ends. */
  const say = (word: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(proxy.endpoint.port, '127.0.0.1', () => socket.write(word))
      socket.on('data', (bytes) => resolve(String(bytes)))
      socket.on('error', (error) => resolve(error.message.replace(/.* /, '')))
      socket.on('end', () => resolve('the end'))
    })
  expect(await say('hello')).toBe('answer')
  const lost = proxy.inject({ at: 'commit', damage: 'lost' })
  expect([await say('hello'), await say('commit'), lost.hits]).toEqual(['answer', 'ECONNRESET', 1])
  proxy.inject({ at: 'commit', damage: 'unanswered', end: 'FIN' })
  expect(await say('commit')).toBe('the end')
  proxy.inject({ at: 'commit', damage: 'torn', end: 'FIN' })
  expect(await say('commit')).toBe('the end')
  await vi.waitFor(() => expect(heard).toEqual(['hello', 'hello', 'commit', 'com']))
  await proxy.refuse()
  expect(await say('hello')).toMatch(/ECONNREFUSED|127/)
  await proxy.mend()
  expect(await say('commit')).toBe('answer')
})
