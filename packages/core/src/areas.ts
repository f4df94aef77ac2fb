import type { ArtifactStore } from './artifacts.ts'
import type { Calls } from './calls.ts'
import type { Ability, Capabilities } from './capabilities.ts'
import { StoreError } from './errors.ts'
import { reading } from './json.ts'
import type { MemoryStore } from './memories.ts'
import type { MetricStore } from './metrics.ts'
import { unsupported } from './refusals.ts'

/** The areas that an application may do without. Sessions, events and state are always there. */
export const optionalAreas = ['memories', 'artifacts', 'metrics'] as const
export type Area = (typeof optionalAreas)[number]

export interface OptionalAreas {
  readonly memories: MemoryStore
  readonly artifacts: ArtifactStore
  readonly metrics: MetricStore
}

/** The abilities that go with an area. */
const abilitiesOf: Record<Area, readonly Ability[]> = {
  memories: ['memories', 'fullTextSearch', 'vectorSearch'],
  artifacts: ['artifacts'],
  metrics: ['metrics'],
}

/**
 * The areas of a store: those it was built with, unless the option `areas` leaves them out. The methods of the others reject
 * with `unsupported`, or `closed`, before anything is sent. For those who write a store.
 *
 * @example
 * ```ts
 * import { areasOf, createCalls } from '@daybook/core'
 *
 * const { memories } = areasOf({ calls: createCalls(), areas: new Set() }, {}) // what is built goes into the second argument
 * await memories.search({ appName: 'shop' }).catch((error) => console.log(error.code)) // unsupported
 * ```
 */
export function areasOf(
  { calls, areas }: { readonly calls: Calls; readonly areas: ReadonlySet<Area> },
  built: Partial<OptionalAreas> = {},
): OptionalAreas {
  const absent = absentAreas(calls)
  const enabled = <A extends Area>(area: A): OptionalAreas[A] => (areas.has(area) && built[area]) || absent[area]
  return { memories: enabled('memories'), artifacts: enabled('artifacts'), metrics: enabled('metrics') }
}

/** What a store can do once the areas that the option leaves out are taken away. */
export function capabilitiesWith(capabilities: Capabilities, areas: ReadonlySet<Area>): Capabilities {
  const without = optionalAreas.filter((area) => !areas.has(area)).flatMap((area) => abilitiesOf[area])
  return Object.freeze({ ...capabilities, ...Object.fromEntries(without.map((ability) => [ability, 'no'])) })
}

/** The option `areas`: all, unless it names some. */
export function checkedAreas(areas: unknown): ReadonlySet<Area> {
  if (areas === undefined) return new Set(optionalAreas)
  const names = reading('areas', () => (Array.isArray(areas) ? Array.from<unknown>(areas) : undefined))
  if (names === undefined) throw invalid('areas', 'must be an array of names')
  return new Set(names.map(checkedArea))
}

function checkedArea(name: unknown, i: number): Area {
  const area = optionalAreas.find((one) => one === name)
  if (area === undefined)
    throw invalid(
      `areas[${i}]`,
      `must be one of ${optionalAreas.join(', ')}; sessions, events and state are always there`,
    )
  return area
}

const invalid = (field: string, what: string) => new StoreError('invalid_argument', `${field} ${what}`, { field })

function absentAreas(calls: Calls): OptionalAreas {
  const absent = (area: Area, method: string) => (): Promise<never> =>
    calls.run(`${area}.${method}`, undefined, () => {
      throw unsupported(area, area)
    })
  const [memories, artifacts, metrics] = optionalAreas
  return {
    memories: {
      add: absent(memories, 'add'),
      get: absent(memories, 'get'),
      list: absent(memories, 'list'),
      search: absent(memories, 'search'),
      delete: absent(memories, 'delete'),
    },
    artifacts: {
      save: absent(artifacts, 'save'),
      load: absent(artifacts, 'load'),
      list: absent(artifacts, 'list'),
      versions: absent(artifacts, 'versions'),
      delete: absent(artifacts, 'delete'),
      prune: absent(artifacts, 'prune'),
      sweep: absent(artifacts, 'sweep'),
    },
    metrics: {
      record: absent(metrics, 'record'),
      query: absent(metrics, 'query'),
      aggregate: absent(metrics, 'aggregate'),
      prune: absent(metrics, 'prune'),
    },
  }
}
