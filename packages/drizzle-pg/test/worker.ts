import { fixedAes } from '../../drizzle/test/codecs.ts'
import type { OpenPgOptions } from '../src/index.ts'
import { openWith, type DriverOfUrl } from './openers.ts'

/** A store of a forked process, over the schema that the parent made. */
export function openWorkerStore(args: unknown) {
  const { driver, isEncoded, ...options } = args as OpenPgOptions & { driver: DriverOfUrl; isEncoded: boolean } // what subjects.ts sends
  return openWith[driver]({ ...options, ...(isEncoded && { codec: fixedAes }) })
}
