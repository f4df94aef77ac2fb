import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  applyDelta,
  composeDeltas,
  emptyDelta,
  isEmptyDelta,
  mergedState,
  scopeOf,
  splitDelta,
  type JsonDelta,
  type JsonObject,
} from '@daybook/core'
import { anyJsonObject, anyKey } from './arbitraries.ts'

const anyDocument = anyJsonObject.map((document) => document as JsonObject) // parsed from JSON
const anyDelta: fc.Arbitrary<JsonDelta> = fc
  .tuple(anyDocument, fc.uniqueArray(anyKey, { maxLength: 4 }))
  .map(([set, unset]) => ({ set, unset: unset.filter((key) => !Object.hasOwn(set, key)) }))
const isPrefixed = (key: string) => scopeOf(key).scope !== 'session'
const isKept = (key: string) => !key.startsWith('temp:')
const withoutPrefixes = (document: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(document).filter(([key]) => !isPrefixed(key)))

const sorted = (document: JsonObject) =>
  JSON.stringify(Object.entries(document).toSorted(([x], [y]) => (x < y ? -1 : 1)))

const sameDocument = (a: JsonObject, b: JsonObject) => {
  expect(sorted(a)).toBe(sorted(b))
}

test('a delta sets its keys, removes the unset ones, and leaves every other key alone', () => {
  fc.assert(
    fc.property(anyDocument, anyDelta, (document, delta) => {
      const before = JSON.stringify(document)
      const next = applyDelta(document, delta)
      for (const key of new Set([...Object.keys(document), ...Object.keys(delta.set), ...delta.unset])) {
        const expected = Object.hasOwn(delta.set, key)
          ? delta.set[key]
          : delta.unset.includes(key)
            ? undefined
            : Object.getOwnPropertyDescriptor(document, key)?.value
        expect(Object.getOwnPropertyDescriptor(next, key)?.value).toStrictEqual(expected)
      }
      expect(JSON.stringify(document)).toBe(before)
    }),
  )
})

test('null is a value, and a set value replaces what was there', () => {
  expect(applyDelta({ a: { x: 1 }, b: 1, c: 1 }, { set: { a: { y: 2 }, b: null }, unset: ['c', 'd'] })).toStrictEqual({
    a: { y: 2 },
    b: null,
  })
})

test('a composed delta does what its two parts do one after the other, in any grouping', () => {
  fc.assert(
    fc.property(anyDocument, anyDelta, anyDelta, anyDelta, (document, first, second, third) => {
      sameDocument(applyDelta(document, composeDeltas(first, second)), applyDelta(applyDelta(document, first), second))
      const [left, right] = [
        composeDeltas(composeDeltas(first, second), third),
        composeDeltas(first, composeDeltas(second, third)),
      ]
      sameDocument(applyDelta(document, left), applyDelta(document, right))
      expect(left.unset.filter((key) => Object.hasOwn(left.set, key))).toEqual([])
    }),
  )
})

test('setting and unsetting can be repeated safely', () => {
  fc.assert(
    fc.property(anyDocument, anyDelta, (document, delta) => {
      const once = applyDelta(document, delta)
      sameDocument(applyDelta(once, delta), once)
    }),
  )
})

const prefixed = (prefix: string, { set, unset }: JsonDelta): JsonDelta => ({
  set: Object.fromEntries(Object.entries(set).map(([key, value]) => [prefix + key, value])),
  unset: unset.map((key) => prefix + key),
})

test('a delta is split by prefix, without loss but for temp: keys', () => {
  fc.assert(
    fc.property(anyDelta, (delta) => {
      const { app, user, session } = splitDelta(delta)
      const parts = [prefixed('app:', app), prefixed('user:', user), session]
      sameDocument(
        Object.assign(Object.create(null), ...parts.map(({ set }) => set)),
        Object.assign(
          Object.create(null),
          Object.fromEntries(Object.entries(delta.set).filter(([key]) => isKept(key))),
        ),
      )
      expect(parts.flatMap(({ unset }) => unset).toSorted()).toEqual(
        delta.unset.filter((key) => isKept(key)).toSorted(),
      )
    }),
  )
})

test('only a prefix at the start of a key names a scope', () => {
  expect(
    ['app:a', 'user:a', 'temp:a', 'a', 'App:a', 'xapp:a', 'app', '', 'app:user:a', 'user:'].map((key) => scopeOf(key)),
  ).toEqual([
    { scope: 'app', name: 'a' },
    { scope: 'user', name: 'a' },
    { scope: 'temp', name: 'a' },
    { scope: 'session', name: 'a' },
    { scope: 'session', name: 'App:a' },
    { scope: 'session', name: 'xapp:a' },
    { scope: 'session', name: 'app' },
    { scope: 'session', name: '' },
    { scope: 'app', name: 'user:a' },
    { scope: 'user', name: '' },
  ])
})

test('applying a split delta to each scope changes the merged view as the delta says', () => {
  fc.assert(
    fc.property(anyDocument, anyDocument, anyDocument, anyDelta, (app, user, given, delta) => {
      const session = withoutPrefixes(given)
      const split = splitDelta(delta)
      const after = mergedState({
        app: applyDelta(app, split.app),
        user: applyDelta(user, split.user),
        session: applyDelta(session, split.session),
      })
      const stored = {
        set: Object.fromEntries(Object.entries(delta.set).filter(([key]) => isKept(key))),
        unset: delta.unset,
      }
      sameDocument(after, applyDelta(mergedState({ app, user, session }), stored))
    }),
  )
})

test('only a delta without keys is empty', () => {
  expect(isEmptyDelta(emptyDelta)).toBe(true)
  fc.assert(
    fc.property(anyDelta, (delta) => {
      expect(isEmptyDelta(delta)).toBe(Object.keys(delta.set).length + delta.unset.length === 0)
      expect(composeDeltas(emptyDelta, delta)).toEqual(delta)
      expect(composeDeltas(delta, emptyDelta)).toEqual(delta)
    }),
  )
})
