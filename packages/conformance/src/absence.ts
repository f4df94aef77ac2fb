import { StoreError, type Ability, type Store } from '@daybook/core'
import type { Ctx } from './context.ts'
import { CheckFailure, Inapplicable, rejects, Unproven } from './expect.ts'
import { keyOf, nothingWritten } from './fixtures.ts'

type Probe = (store: Store, ctx: Ctx) => Promise<unknown>

/** What a store without the ability has to refuse, before anything is sent. */
export const probes: Readonly<Record<Ability, Readonly<Record<string, Probe>>>> = {
  memories: {
    add: (store, ctx) => store.memories.add({ appName: ctx.app }, { text: 'x' }),
    get: (store, ctx) => store.memories.get({ appName: ctx.app }, 'm1'),
    list: (store, ctx) => store.memories.list({ appName: ctx.app }),
    search: (store, ctx) => store.memories.search({ appName: ctx.app, query: 'x' }),
    delete: (store, ctx) => store.memories.delete({ appName: ctx.app, id: 'm1' }),
  },
  artifacts: {
    save: (store, ctx) => store.artifacts.save({ ...keyOf(ctx), name: 'a' }, new Uint8Array(1)),
    load: (store, ctx) => store.artifacts.load({ ...keyOf(ctx), name: 'a' }),
    list: (store, ctx) => store.artifacts.list({ appName: ctx.app, userId: 'ann' }),
    versions: (store, ctx) => store.artifacts.versions({ ...keyOf(ctx), name: 'a' }),
    delete: (store, ctx) => store.artifacts.delete({ ...keyOf(ctx), name: 'a' }),
    prune: (store, ctx) => store.artifacts.prune({ appName: ctx.app, before: 1 }),
    sweep: (store, ctx) => store.artifacts.sweep({ appName: ctx.app }),
  },
  metrics: {
    record: (store, ctx) => store.metrics.record([{ appName: ctx.app, operationName: 'x' }]),
    query: (store, ctx) => store.metrics.query({ appName: ctx.app }),
    aggregate: (store, ctx) => store.metrics.aggregate({ appName: ctx.app, measures: { n: 'count' } }),
    prune: (store, ctx) => store.metrics.prune({ appName: ctx.app, before: 1 }),
  },
  lease: {
    lease: (store, ctx) => store.sessions.lease(keyOf(ctx), { ttl: 1000, owner: 'me' }),
    append: (store, ctx) => store.events.append(keyOf(ctx), { id: 'e1' }, { lease: { owner: 'me', fence: 1 } }),
  },
  jsonPathFilter: {
    list: (store, ctx) => store.sessions.list({ appName: ctx.app, where: [{ path: ['a'], op: 'eq', value: 1 }] }),
    count: (store, ctx) => store.sessions.count({ appName: ctx.app, where: [{ path: ['a'], op: 'exists' }] }),
  },
  jsonPathIndex: {
    indexStatePath: (store) => store.indexStatePath(['a'], 'string'),
    dropStatePathIndex: (store) => store.dropStatePathIndex(['a'], 'string'),
  },
  fullTextSearch: { search: (store, ctx) => store.memories.search({ appName: ctx.app, query: 'x' }) },
  vectorSearch: {
    search: (store, ctx) => store.memories.search({ appName: ctx.app, embedding: [1] }),
    add: (store, ctx) => store.memories.add({ appName: ctx.app }, { text: 'x', embedding: [1] }),
  },
  callerTransaction: { using: optional('using') },
}

/** A method that not every store has: absent, or refusing. */
function optional(name: string): Probe {
  return (store) => {
    const method: unknown = Reflect.get(store, name)
    if (typeof method !== 'function') return Promise.reject(new Inapplicable('the ability has no method here'))
    // A method that throws, as one that is not asynchronous may, refuses as well.
    return new Promise((resolve) => resolve(method.apply(store, [{}]) as unknown)) // apply answers any
  }
}

/**
 * An ability that is `no`: every method and option of it rejects with `unsupported` naming it, and writes nothing. Ends with
 * `Inapplicable` where there is no method that could refuse.
 */
export async function isRefused(ability: Ability, ctx: Ctx): Promise<void> {
  for (const [name, probe] of Object.entries(probes[ability])) {
    const what = `capability ${ability} is no: ${name}`
    await nothingWritten(ctx, () => refuses(() => probe(ctx.store, ctx), ability, what), what)
  }
}

async function refuses(call: () => Promise<unknown>, ability: Ability, what: string): Promise<void> {
  const outcome = await call().then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  )
  if ('value' in outcome && ability === 'callerTransaction')
    throw new CheckFailure(`${what} (under-declared, or a silent no-op)`, 'unsupported', outcome.value)
  if ('error' in outcome && (outcome.error instanceof Inapplicable || outcome.error instanceof Unproven))
    throw outcome.error
  const named = areaOf(ability, 'error' in outcome ? outcome.error : undefined)
  await rejects(
    () => ('error' in outcome ? Promise.reject(outcome.error) : Promise.resolve(outcome.value)),
    'unsupported',
    what,
    { capability: named },
  )
}

/** The searches are refused in the name of the area that they are options of, where that is absent as a whole. */
const areaOf = (ability: Ability, error: unknown): Ability =>
  (ability === 'fullTextSearch' || ability === 'vectorSearch') &&
  error instanceof StoreError &&
  error.facts.capability === 'memories'
    ? 'memories'
    : ability
