import { openPgStore } from '../src/index.ts'

/** A store of a forked process, over the schema that the parent made. */
export const openWorkerStore = (args: unknown) => openPgStore(args as { url: string; schema: string }) // what subjects.ts sends
