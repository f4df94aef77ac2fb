import type { SessionQuery, SessionSummary, StateCondition, Store } from '@daybook/core'
import { meaning, meets, type FilterMeaning } from '../filter-model.ts'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'

type Query = Omit<SessionQuery, 'where'> & { readonly where?: readonly StateCondition[] }

/** What a session's own state is, out of the merged one. */
const ownState = ({ state = {} }: SessionSummary) =>
  Object.fromEntries(Object.entries(state).filter(([key]) => !/^(?:user|app):/.test(key)))

const withoutState = ({ state: _state, ...session }: SessionSummary): SessionSummary => session

async function all(store: Store, { cursor: _cursor, limit: _limit, where: _where, ...query }: Query) {
  const items: SessionSummary[] = []
  let cursor: string | undefined
  do {
    const page = await store.sessions.list({
      ...query,
      state: true,
      limit: 200,
      ...(cursor !== undefined && { cursor }),
    })
    items.push(...page.items)
    cursor = page.nextCursor
  } while (cursor !== undefined)
  return items
}

/** The store with filters that mean something else. The store itself still refuses what is no condition. */
function meaningBy(store: Store, wrong: Partial<FilterMeaning>): Store {
  const by = { ...meaning, ...wrong }
  const found = async (query: Query) => {
    const { where = [] } = query
    const sessions = await all(store, { ...query, offset: 0 })
    return sessions.filter((session) => meets(ownState(session), where, by)).map(withoutState)
  }
  return wrapStore(store, {
    sessions: {
      list: async (query) => {
        const page = await store.sessions.list(query)
        const isPlain = query.where === undefined || query.cursor !== undefined || query.offset !== undefined
        return isPlain ? page : { items: (await found(query)).slice(0, query.limit), nextCursor: undefined }
      },
      count: async (filter) => {
        const count = await store.sessions.count(filter)
        return filter.where === undefined ? count : (await found(filter)).length
      },
    },
  })
}

const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

export const filterMutants: readonly Mutant[] = [
  {
    id: 'M80',
    bug: 'a missing path is taken as null',
    check: 'JSP-02',
    wrap: (store) =>
      meaningBy(store, {
        at: (document, path) => meaning.at(document, path) ?? null,
      }),
  },
  {
    id: 'M81',
    bug: 'in a filter "1" is 1',
    check: 'JSP-03',
    wrap: (store) => meaningBy(store, { equal: (a, b) => text(a) === text(b) }),
  },
  {
    id: 'M82',
    bug: 'ne matches what is missing and what has another type',
    check: 'JSP-02',
    wrap: (store) => meaningBy(store, { mismatch: ({ op }) => (op === 'ne' ? 'yes' : 'unknown') }),
  },
  {
    id: 'M83',
    bug: 'a path is spliced into one text, at whose dots it is parted',
    check: 'JSP-04',
    wrap: (store) =>
      meaningBy(store, {
        at: (document, path) =>
          meaning.at(
            document,
            path.flatMap((segment): (string | number)[] =>
              typeof segment === 'string' ? segment.split('.') : [segment],
            ),
          ),
      }),
  },
  {
    id: 'M84',
    bug: 'strings in a filter are in the order of UTF-16 units',
    check: 'JSP-05@order',
    wrap: (store) => meaningBy(store, { before: (a, b) => a < b }),
  },
  {
    id: 'M85',
    bug: 'a position finds the scalar itself, as if it were in an array of one',
    check: 'JSP-01',
    wrap: (store) =>
      meaningBy(store, {
        at: (document, path) => {
          const parent = meaning.at(document, path.slice(0, -1))
          return path.at(-1) === 0 && typeof parent !== 'object' ? parent : meaning.at(document, path)
        },
      }),
  },
  {
    id: 'M86',
    bug: 'contains looks into what the array contains',
    check: 'JSP-05',
    wrap: (store) => {
      const within: FilterMeaning['contains'] = (array, value, same) =>
        Array.isArray(array) && array.some((item) => same(item, value) || within(item, value, same))
      return meaningBy(store, { contains: within })
    },
  },
  {
    id: 'M87',
    bug: 'a filter on state comes after the page',
    check: 'JSP-08',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          list: async ({ where, ...query }) => {
            if (where === undefined) return store.sessions.list(query)
            const page = await store.sessions.list({ ...query, state: true })
            return { ...page, items: page.items.filter((session) => meets(ownState(session), where)) }
          },
        },
      }),
  },
  {
    id: 'M88',
    bug: 'a filter on state also sees the states of user and app',
    check: 'JSP-08@changes',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          list: async (query) => {
            const page = await store.sessions.list(query)
            const { where } = query
            if (where === undefined || query.cursor !== undefined) return page
            const items = (await all(store, query)).filter(({ state }) => meets(state, where))
            return { items: items.map(withoutState), nextCursor: undefined }
          },
        },
      }),
  },
  {
    id: 'M89',
    bug: 'a quote in a filter ends it, and the rest of it is taken for SQL',
    check: 'JSP-06',
    wrap: (store) =>
      meaningBy(store, {
        equal: (a, b) => meaning.equal(a, b) || (typeof b === 'string' && /' OR /i.test(b)),
      }),
  },
  {
    id: 'M90',
    bug: 'numbers in a filter are compared as 32-bit floats',
    check: 'JSP-09',
    wrap: (store) =>
      meaningBy(store, {
        equal: (a, b) => (typeof a === 'number' && typeof b === 'number' ? Math.fround(a) === Math.fround(b) : a === b),
      }),
  },
  {
    id: 'M91',
    bug: 'a condition that is none is left out instead of refused',
    check: 'JSP-06@arguments',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          list: (query) => {
            const { where } = query
            if (!Array.isArray(where)) return store.sessions.list(query)
            return store.sessions.list({ ...query, where: where.filter(({ op }) => op !== 'exists' && op !== 'lt') })
          },
        },
      }),
  },
  {
    id: 'M92',
    bug: 'contains looks at two elements and no further',
    check: 'JSP-10',
    wrap: (store) =>
      meaningBy(store, {
        contains: (array, value, same) => Array.isArray(array) && array.slice(0, 2).some((item) => same(item, value)),
      }),
  },
  {
    id: 'M93',
    bug: 'what has another type is not below, and so taken for above',
    check: 'JSP-07',
    wrap: (store) => meaningBy(store, { mismatch: ({ op }) => (op === 'gte' ? 'yes' : 'unknown') }),
  },
]
