export interface InMemoryStoreOptions {}
export const createInMemoryStore = (): never => { throw new Error('soon') }
