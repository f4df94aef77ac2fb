// LangGraph's checkpointers. A session is a thread, and a checkpoint is written at each step, as its graphs do: the messages are
// one channel and the state is another, and a step writes both whole.
import { Buffer } from 'node:buffer'
import type { RunnableConfig } from '@langchain/core/runnables'
import { uuid6, type BaseCheckpointSaver, type Checkpoint } from '@langchain/langgraph-checkpoint'
import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres'
import { PostgresStore } from '@langchain/langgraph-checkpoint-postgres/store'
import { SqliteSaver } from '@langchain/langgraph-checkpoint-sqlite'
import { Pool } from 'pg'
import type { Contender, Entry, Key } from '../contender.ts'
import type { BenchEvent, JsonObject } from '../data.ts'

interface Channels {
  readonly state: JsonObject
  readonly messages: readonly BenchEvent[]
}

const threadOf = (key: Key): RunnableConfig => ({
  configurable: { thread_id: Buffer.from(JSON.stringify(key)).toString('base64url'), checkpoint_ns: '' },
})
const channelsOf = ({ channel_values }: Checkpoint) => channel_values as unknown as Channels // what was put

function overLangGraph(saver: BaseCheckpointSaver, close: () => Promise<void>): Contender {
  let step = 0
  /** Answers the configuration of the next step. */
  async function put(config: RunnableConfig, { state, messages }: Channels, version: number): Promise<RunnableConfig> {
    const versions = { state: version, messages: version }
    const checkpoint: Checkpoint = {
      v: 4,
      id: uuid6(step++),
      ts: new Date().toISOString(),
      channel_values: { state, messages },
      channel_versions: versions,
      versions_seen: {},
    }
    return saver.put(config, checkpoint, { source: 'loop', step: version, parents: {} }, versions)
  }
  return {
    async create(key, state) {
      await put(threadOf(key), { state, messages: [] }, 1)
      return state
    },
    async writer(key) {
      const found = await saver.getTuple(threadOf(key))
      if (found === undefined) throw new Error('the thread is missing')
      let { config } = found
      let channels = channelsOf(found.checkpoint)
      let version = Number(found.checkpoint.channel_versions['messages'])
      return async (event) => {
        channels = {
          state: { ...channels.state, ...event.actions.stateDelta },
          messages: [...channels.messages, event],
        }
        config = await put(config, channels, ++version)
        return {}
      }
    },
    async load(key, last) {
      const found = await saver.getTuple(threadOf(key))
      if (found === undefined) throw new Error('the thread is missing')
      const { state, messages } = channelsOf(found.checkpoint)
      return { state, events: messages.slice(-last) }
    },
    close,
  }
}

const lacks =
  'no seq, no revision, no user state: it is kept in the thread; the messages are one document, written whole at each step and read whole; no list of a user'

export const langgraphOnPg: Entry = {
  name: 'langgraph',
  driver: 'node-postgres',
  lacks,
  async open({ url, pool }) {
    const connections = new Pool({ connectionString: url, max: pool })
    const saver = new PostgresSaver(connections)
    await saver.setup()
    const store = PostgresStore.fromConnString(url)
    await store.setup()
    const contender = overLangGraph(saver, async () => {
      await store.stop()
      await connections.end()
    })
    let count = 0
    return {
      ...contender,
      memories: {
        async add({ appName, userId }, texts) {
          await store.batch(
            texts.map((text) => ({ namespace: [appName, userId], key: `m${count++}`, value: { text } })),
          )
        },
        async search({ appName, userId }, query, limit) {
          return (await store.search([appName, userId], { query, limit, mode: 'text' })).length
        },
      },
    }
  },
}

export const langgraphOnSqlite: Entry = {
  name: 'langgraph-normal',
  driver: 'better-sqlite3',
  lacks: `${lacks}; it runs at synchronous=NORMAL, so compare it with limit-normal`,
  async open({ url }) {
    const saver = SqliteSaver.fromConnString(url)
    return overLangGraph(saver, async () => void saver.db.close())
  },
}
