import { openMysqlStore } from '../src/index.ts'

// A process of its own: appends to a session that others append to as well, and says which `seq` each event got.
const { url, key, name, count, startAt } = JSON.parse(process.argv[2] ?? '{}') as {
  url: string
  key: { appName: string; userId: string; sessionId: string }
  name: string
  count: number
  startAt: number
} // as processes.ts sends it

const store = await openMysqlStore({ url, connectionLimit: 1 })
await new Promise((resolve) => setTimeout(resolve, Math.max(0, startAt - Date.now())))
const seqs: (number | undefined)[] = []
for (let i = 0; i < count; i++) {
  const id = `${name}-${i}`
  const { events } = await store.events.append(key, { id, actions: { stateDelta: { [id]: i } } })
  seqs.push(events[0]?.seq)
}
await store.close()
console.log(JSON.stringify(seqs))
