import { fixedAes } from '../../drizzle/test/codecs.ts'
import { openPgStore, type OpenPgOptions } from '../src/index.ts'

/** A store of a forked process, over the schema that the parent made. */
export function openWorkerStore(args: unknown) {
  const { isEncoded, ...options } = args as OpenPgOptions & { isEncoded: boolean } // what subjects.ts sends
  return openPgStore({ ...options, ...(isEncoded && { codec: fixedAes }) })
}
