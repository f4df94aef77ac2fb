import { randomFillSync } from 'node:crypto'
import { checkedTimestamp } from './time.ts'

// Random bytes for many ids are fetched at once: one call costs as much as the rest of an id.
const bytesOfAnId = 10
const pool = Buffer.alloc(bytesOfAnId * 200)
let used = pool.length
let last = { time: 0, counter: 0 }

/**
 * A UUID version 7 (RFC 9562), method 1 of its section 6.2: a counter of 12 bits in `rand_a` makes the ids of one process
 * strictly increasing, also within a millisecond and when the clock runs back.
 *
 * @example
 * ```ts
 * import { uuidv7 } from '@daybook/core'
 *
 * const [first, second] = [uuidv7(), uuidv7()]
 * console.log(first < second) // true
 * ```
 */
export function uuidv7(now: () => number = Date.now): string {
  const time = Math.max(Math.floor(checkedTimestamp(now(), 'now')), last.time)
  const random = randomBytes()
  // A new millisecond starts in the lower half of the counter, so that at least 2,048 ids fit before it runs over.
  const counter = time === last.time ? last.counter + 1 : random.readUInt16BE(8) & 0x7ff
  last = counter > 0xfff ? { time: time + 1, counter: 0 } : { time, counter }
  random.writeUInt8((random.readUInt8(0) & 0x3f) | 0x80, 0)
  const head = last.time.toString(16).padStart(12, '0')
  const middle = last.counter.toString(16).padStart(3, '0')
  const tail = random.toString('hex', 0, 8)
  return `${head.slice(0, 8)}-${head.slice(8)}-7${middle}-${tail.slice(0, 4)}-${tail.slice(4)}`
}

function randomBytes(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytesOfAnId
  return pool.subarray(used - bytesOfAnId, used)
}
