import { randomFillSync } from 'node:crypto'

const random = new Uint8Array(10)
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
  const time = Math.max(Math.floor(now()), last.time)
  randomFillSync(random)
  // A new millisecond starts in the lower half of the counter, so that at least 2,048 ids fit before it runs over.
  const counter = time === last.time ? last.counter + 1 : ((random[8] ?? 0) << 3) | ((random[9] ?? 0) & 7)
  last = counter > 0xfff ? { time: time + 1, counter: 0 } : { time, counter }
  const head = last.time.toString(16).padStart(12, '0')
  const tail = Buffer.from(random.subarray(0, 8))
  tail[0] = ((tail[0] ?? 0) & 0x3f) | 0x80
  const rest = tail.toString('hex')
  const middle = last.counter.toString(16).padStart(3, '0')
  return `${head.slice(0, 8)}-${head.slice(8)}-7${middle}-${rest.slice(0, 4)}-${rest.slice(4)}`
}
