// A store with a bug that random commands find: what was deleted is still counted.
import { changed } from '../broken-stores.ts'
import { wrapStore } from '../../src/wrap.ts'

const isFixed = process.env['DAYBOOK_TEST_FIXED'] === '1'

export default changed((store) =>
  isFixed
    ? store
    : wrapStore(store, { sessions: { delete: async (key) => (await store.sessions.get(key)) !== undefined } }),
)
