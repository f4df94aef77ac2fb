import { phases, type Phase, type WireReader } from '../wire.ts'

const sslRequest = 80_877_103
const gssRequest = 80_877_104

const textOf = (body: Buffer, from = 0): string => body.toString('latin1', from, body.indexOf(0, from))

/** PostgreSQL's protocol 3, simple and extended queries: https://www.postgresql.org/docs/current/protocol-message-formats.html */
export function postgresWire(): WireReader {
  const phaseOf = phases()
  const statements = new Map<string, string>()
  const portals = new Map<string, string>()
  let rest: Buffer = Buffer.alloc(0)
  let isStarted = false

  const message = (type: string, body: Buffer): Phase | undefined => {
    if (type === 'Q') return phaseOf(textOf(body))
    if (type === 'P') {
      const name = textOf(body)
      statements.set(name, textOf(body, Buffer.byteLength(name, 'latin1') + 1))
    }
    if (type === 'B') {
      const portal = textOf(body)
      portals.set(portal, statements.get(textOf(body, Buffer.byteLength(portal, 'latin1') + 1)) ?? '')
    }
    return type === 'E' ? phaseOf(portals.get(textOf(body)) ?? '') : undefined
  }

  return {
    sent(bytes) {
      rest = Buffer.concat([rest, bytes])
      const found: Phase[] = []
      for (;;) {
        const head = isStarted ? 1 : 0
        if (rest.length < head + 4) return found
        const length = rest.readUInt32BE(head) + head
        if (rest.length < length) return found
        if (isStarted) {
          const phase = message(rest.toString('latin1', 0, 1), rest.subarray(5, length))
          if (phase !== undefined) found.push(phase)
        } else {
          const code = rest.readUInt32BE(4)
          isStarted = code !== sslRequest && code !== gssRequest
        }
        rest = rest.subarray(length)
      }
    },
  }
}
