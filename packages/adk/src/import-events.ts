import {
  appendRequest,
  isStoreError,
  type JsonObject,
  type Limits,
  type NewEvent,
  type SessionKey,
} from '@daybook/core'
import { digest } from './import-checksum.ts'
import { refusalFor, signalOf, type ImportJob, type Refusal } from './import-job.ts'
import { orderableOf, type Orderable } from './import-order.ts'
import type { EventPlace } from './sources/table-reader.ts'

/** An event that can be taken. */
export interface CheckedEvent extends Orderable {
  readonly digest: string
  readonly bytes: number
  /** The event itself, while there is room to keep those of a session. */
  readonly event: JsonObject | undefined
}

/** Bytes of events that are held in memory: of a session that is larger they are read twice. */
const roomForEvents = 8 * 1024 * 1024

/** Reads all events of a session once, and answers what is needed to put them in order. Names in `keys` what their deltas touch. */
export async function checkedEvents(
  job: ImportJob,
  key: SessionKey,
  places: readonly EventPlace[],
  keys: Set<string>,
): Promise<readonly CheckedEvent[]> {
  const { layout, time } = job.reader
  const checked: CheckedEvent[] = []
  let room = roomForEvents
  for await (const { id, row } of rowsOf(
    job,
    key,
    places.map((place) => place.id),
  )) {
    job.eventsRead(1)
    let event: JsonObject
    try {
      event = layout.event(row, time)
    } catch {
      job.leave({ what: 'event', ...key, eventId: id, reason: 'unreadable', detail: 'its data are no JSON object' })
      continue
    }
    const request = requestOf(key, event, job.store.limits)
    if ('reason' in request) {
      job.leave({ what: 'event', ...key, eventId: id, ...request })
      continue
    }
    const { payload, bytes, delta, timestamp } = request
    for (const name of [...Object.keys(delta.set), ...delta.unset]) keys.add(name)
    room -= bytes
    checked.push({
      ...orderableOf(id, timestamp, payload),
      digest: digest(payload),
      bytes,
      event: room > 0 ? payload : undefined,
    })
  }
  if (layout.left !== undefined && places.length > 0)
    job.leave({ what: 'event', ...key, ...layout.left, count: places.length })
  return checked
}

function requestOf(key: SessionKey, event: JsonObject, limits: Limits): NewEvent | Refusal {
  try {
    const [request] = appendRequest(key, event, undefined, { limits, now: Date.now }).events
    return request ?? { reason: 'invalid', detail: 'it is no event' }
  } catch (error) {
    return refusalFor(error)
  }
}

/** Reads bodies in pieces of some megabytes, whatever the size of an event. */
async function* rowsOf(job: ImportJob, key: SessionKey, ids: readonly string[]) {
  let size = 32
  let done = 0
  while (done < ids.length) {
    job.check()
    const wanted = ids.slice(done, done + size)
    done += wanted.length
    const rows = await job.reader.bodies(key, wanted)
    const byId = new Map(rows.map((row) => [String(row['id']), row]))
    let length = 0
    for (const id of wanted) {
      const row = byId.get(id)
      if (row === undefined) continue // gone since, where the connection sees no snapshot
      for (const value of Object.values(row)) length += typeof value === 'string' ? value.length : 0
      yield { id, row }
    }
    const average = Math.max(1, length / wanted.length)
    size = Math.max(1, Math.min(512, Math.floor((4 * 1024 * 1024) / average)))
  }
}

/** Appends what is missing, in order. Answers false when other content, or a deletion, came in between. */
export async function appendAll(job: ImportJob, key: SessionKey, rest: readonly CheckedEvent[]): Promise<boolean> {
  for (const batch of batchesOf(rest, job.store.limits)) {
    job.check()
    const events = await bodiesOf(job, key, batch)
    try {
      await job.store.events.append(key, events, { deltas: 'record', ...signalOf(job) })
    } catch (error) {
      if (isStoreError(error) && (error.code === 'conflict' || error.code === 'not_found')) return false
      throw error
    }
  }
  return true
}

async function bodiesOf(job: ImportJob, key: SessionKey, batch: readonly CheckedEvent[]): Promise<JsonObject[]> {
  const { layout, time } = job.reader
  const missing = batch.filter(({ event }) => event === undefined).map(({ id }) => id)
  const read = new Map<string, JsonObject>()
  for await (const { id, row } of rowsOf(job, key, missing)) read.set(id, layout.event(row, time))
  const bodies: JsonObject[] = []
  for (const { id, event = read.get(id) } of batch) if (event !== undefined) bodies.push(event)
  return bodies
}

/** As many events as go into one transaction without keeping others waiting for long. */
function* batchesOf(events: readonly CheckedEvent[], { batchBytes, batchEvents }: Limits) {
  const most = Math.min(500, batchEvents)
  const bytesAtMost = Math.min(4 * 1024 * 1024, batchBytes)
  let batch: CheckedEvent[] = []
  let bytes = 0
  for (const event of events) {
    if (batch.length > 0 && (batch.length === most || bytes + event.bytes > bytesAtMost)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(event)
    bytes += event.bytes
  }
  if (batch.length > 0) yield batch
}
