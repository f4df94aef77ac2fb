import { phases, type Phase, type WireReader } from '../wire.ts'

const query = 0x03
const prepare = 0x16
const execute = 0x17

/** The protocol of MySQL and MariaDB, text and prepared statements: https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html */
export function mysqlWire(): WireReader {
  const phaseOf = phases()
  const statements = new Map<number, string>()
  let rest: Buffer = Buffer.alloc(0)
  let preparing: string | undefined

  const command = (body: Buffer): Phase | undefined => {
    const [code] = body
    if (code === query) return phaseOf(body.toString('latin1', 1))
    if (code === prepare) preparing = body.toString('latin1', 1)
    return code === execute ? phaseOf(statements.get(body.readUInt32LE(1)) ?? '') : undefined
  }

  return {
    sent(bytes) {
      rest = Buffer.concat([rest, bytes])
      const found: Phase[] = []
      for (;;) {
        if (rest.length < 4) return found
        const length = rest.readUIntLE(0, 3) + 4
        if (rest.length < length) return found
        // A command begins the count anew; what comes later of it, and the handshake, has other numbers.
        const phase = rest[3] === 0 ? command(rest.subarray(4, length)) : undefined
        if (phase !== undefined) found.push(phase)
        rest = rest.subarray(length)
      }
    },
    received(bytes) {
      if (preparing === undefined) return
      if (bytes.length >= 9 && bytes[4] === 0) statements.set(bytes.readUInt32LE(5), preparing)
      preparing = undefined
    },
  }
}
