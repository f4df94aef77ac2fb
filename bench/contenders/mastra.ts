// Mastra's storage of threads and messages. A session is a thread, its state the thread's metadata, the user's state the resource's.
import type { MemoryStorage } from '@mastra/core/storage'
import { LibSQLStore } from '@mastra/libsql'
import { PostgresStore } from '@mastra/pg'
import type { Contender, Entry, Key } from '../contender.ts'
import type { JsonObject } from '../data.ts'
import { deltaOf } from './delta.ts'
import { merged } from './merged.ts'

interface Store {
  init(): Promise<void>
  getStore(name: 'memory'): Promise<MemoryStorage | undefined>
}

const resourceOf = ({ appName, userId }: Omit<Key, 'sessionId'>) => `${appName}/${userId}`

async function overMastra(store: Store, keepsState: boolean, close: () => Promise<void>): Promise<Contender> {
  await store.init()
  const memory = await store.getStore('memory')
  if (memory === undefined) throw new Error('it has no memory')
  return {
    async create(key, state) {
      const now = new Date()
      const metadata = keepsState ? { ...state } : {}
      const thread = {
        id: key.sessionId,
        resourceId: resourceOf(key),
        title: '',
        createdAt: now,
        updatedAt: now,
        metadata,
      }
      const saved = await memory.saveThread({ thread })
      return saved.metadata as JsonObject // what was given
    },
    writer: async (key) => async (event) => {
      const [threadId, resourceId] = [key.sessionId, resourceOf(key)]
      const { content, usageMetadata, invocationId, actions } = event
      const message = {
        id: event.id,
        threadId,
        resourceId,
        role: event.author === 'user' ? ('user' as const) : ('assistant' as const),
        createdAt: new Date(event.timestamp),
        content: {
          format: 2 as const,
          parts: content.parts.map(({ text }) => ({ type: 'text' as const, text })),
          metadata: { usageMetadata, invocationId, actions },
        },
      }
      await memory.saveMessages({ messages: [message] })
      if (!keepsState) return {}
      const { session, user } = deltaOf(event)
      if (session.length > 0) await memory.updateThread({ id: threadId, metadata: Object.fromEntries(session) })
      if (user.length > 0) await memory.updateResource({ resourceId, metadata: Object.fromEntries(user) })
      return {}
    },
    async load(key, last) {
      const [threadId, resourceId] = [key.sessionId, resourceOf(key)]
      const thread = await memory.getThreadById({ threadId })
      const user = keepsState ? await memory.getResourceById({ resourceId }) : null
      const { messages } = await memory.listMessages({
        threadId,
        page: 0,
        perPage: last,
        orderBy: { field: 'createdAt', direction: 'DESC' },
      })
      const state = (thread?.metadata ?? {}) as JsonObject // what was given
      return {
        state: merged(state, (user?.metadata ?? null) as JsonObject | null, null), // as above
        events: messages.toSorted((a, b) => Number(a.createdAt) - Number(b.createdAt)),
      }
    },
    async list(user, limit) {
      const { threads } = await memory.listThreads({
        filter: { resourceId: resourceOf(user) },
        page: 0,
        perPage: limit,
        orderBy: { field: 'updatedAt', direction: 'DESC' },
      })
      return threads.length
    },
    close,
  }
}

const variants = [
  { name: 'mastra', keepsState: true, lacks: 'no seq; message, thread and resource are written one after the other' },
  { name: 'mastra-message', keepsState: false, lacks: 'no seq, no state' },
]

export const mastraOnPg: readonly Entry[] = variants.map(({ name, keepsState, lacks }) => ({
  name,
  driver: 'node-postgres',
  lacks,
  hasState: keepsState,
  async open({ url, pool }) {
    const store = new PostgresStore({ id: name, connectionString: url, max: pool })
    return overMastra(store, keepsState, () => store.close())
  },
}))

export const mastraOnLibsql: readonly Entry[] = variants.map(({ name, keepsState, lacks }) => ({
  name: `${name}-normal`,
  driver: '@libsql/client',
  lacks: `${lacks}; it runs at synchronous=NORMAL, so compare it with limit-normal`,
  hasState: keepsState,
  async open({ url }) {
    const store = new LibSQLStore({ id: name, url: `file:${url}` })
    return overMastra(store, keepsState, () => store.close())
  },
}))
