import { openMysqlStore } from '../src/index.ts'

/** A store of a forked process, over the database that the parent made. */
export const openWorkerStore = (args: unknown) => openMysqlStore(args as { url: string; connectionLimit: number }) // what subjects.ts sends
