import type { SessionKey } from '@daybook/core'
import type { Mutant } from '../mutant.ts'
import { wrapStore } from '../wrap.ts'
import { mapEvents, mapValues } from './answers.ts'

const ofStrings =
  (map: (text: string) => string) =>
  (leaf: unknown): unknown =>
    typeof leaf === 'string' ? map(leaf) : leaf
const ofNumbers =
  (map: (value: number) => number) =>
  (leaf: unknown): unknown =>
    typeof leaf === 'number' ? map(leaf) : leaf

const isEmpty = (leaf: unknown) =>
  leaf === '' || (typeof leaf === 'object' && leaf !== null && Object.keys(leaf).length === 0)

const known = new Set([
  'id',
  'timestamp',
  'author',
  'invocationId',
  'branch',
  'content',
  'actions',
  'partial',
  'turnComplete',
  'interrupted',
  'errorCode',
  'errorMessage',
  'longRunningToolIds',
  'groundingMetadata',
  'customMetadata',
  'usageMetadata',
])

/** How far the process's zone is from UTC, in milliseconds; Kolkata's is −5.5 hours. */
const zoneOffset = () => new Date(1_700_000_000_000).getTimezoneOffset() * 60_000

export const valueMutants: readonly Mutant[] = [
  {
    id: 'M30',
    bug: 'NUL is stripped',
    check: 'UNI-02',
    canary: true,
    wrap: (store) =>
      mapValues(
        store,
        ofStrings((text) => text.replaceAll('\0', '')),
      ),
  },
  {
    id: 'M31',
    bug: 'text of four bytes is mangled',
    check: 'UNI-01',
    wrap: (store) =>
      mapValues(
        store,
        ofStrings((text) => text.replaceAll(/[\u{10000}-\u{10ffff}]/gu, '?')),
      ),
  },
  {
    id: 'M32',
    bug: 'text is normalised to NFC',
    check: 'UNI-03',
    wrap: (store) =>
      mapValues(
        store,
        ofStrings((text) => text.normalize('NFC')),
      ),
  },
  {
    id: 'M33',
    bug: 'text is cut at 255 characters',
    check: 'LIM-02',
    wrap: (store) =>
      mapValues(
        store,
        ofStrings((text) => text.slice(0, 255)),
      ),
  },
  {
    id: 'M34',
    bug: 'text is cut at 64 KiB',
    check: 'LIM-02',
    wrap: (store) =>
      mapValues(
        store,
        ofStrings((text) => text.slice(0, 65_535)),
      ),
  },
  { id: 'M35', bug: 'numbers are float32', check: 'UNI-11', wrap: (store) => mapValues(store, ofNumbers(Math.fround)) },
  {
    id: 'M36',
    bug: 'large integers are rounded',
    check: 'UNI-12',
    wrap: (store) =>
      mapValues(
        store,
        ofNumbers((value) =>
          Math.abs(value) > 2 ** 53 && Math.abs(value) < 1e21 ? Number(value.toPrecision(15)) : value,
        ),
      ),
  },
  {
    id: 'M37',
    bug: 'empty values are folded into null',
    check: 'UNI-10',
    wrap: (store) => mapValues(store, (leaf) => (isEmpty(leaf) ? null : leaf)),
  },
  {
    id: 'M38',
    bug: 'times are cut to seconds',
    check: 'TIM-01',
    canary: true,
    wrap: (store) => mapEvents(store, (event) => ({ ...event, timestamp: Math.floor(event.timestamp / 1000) * 1000 })),
  },
  {
    id: 'M39',
    bug: 'times are shifted to local time',
    check: 'TIM-03',
    wrap: (store) => mapEvents(store, (event) => ({ ...event, timestamp: event.timestamp + zoneOffset() })),
  },
  {
    id: 'M553',
    bug: 'keys are cut at 64 KiB',
    check: 'LIM-02@keys',
    wrap: (store) =>
      wrapStore(store, {
        state: {
          update: (key, change, options) => {
            const { set } = change as { set?: object } // a mutant of what the check sends
            const cut = Object.entries(set ?? {}).map(([name, value]) => [name.slice(0, 65_535), value])
            return store.state.update(key, { set: Object.fromEntries(cut) as Record<string, unknown> }, options)
          },
        },
      }),
  },
  {
    id: 'M42',
    bug: 'unknown members are dropped',
    check: 'EVT-09',
    wrap: (store) =>
      mapEvents(
        store,
        (event) => Object.fromEntries(Object.entries(event).filter(([name]) => known.has(name))) as typeof event, // id and timestamp are known
      ), // id and timestamp are known
  },
  {
    id: 'M50',
    bug: 'answers are built by assignment, so __proto__ sets a prototype',
    check: 'SEC-05',
    wrap: (store) =>
      wrapStore(store, {
        sessions: {
          get: async (key: SessionKey, options) => {
            const session = await store.sessions.get(key, options)
            if (session === undefined) return undefined
            const state: Record<string, unknown> = {}
            for (const [name, value] of Object.entries(session.state)) state[name] = value
            return { ...session, state }
          },
        },
      }),
  },
]
