import { isStoreError } from '@daybook/core'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { tableNamesOf, withNames } from '../src/index.ts'

test('names are the prefix and the default ones, or as they are given', () => {
  expect(tableNamesOf({})).toMatchObject({ sessions: 'daybook_sessions', userStates: 'daybook_user_states' })
  expect(tableNamesOf({ prefix: '', tables: { events: 'agent_events' } })).toMatchObject({
    sessions: 'sessions',
    events: 'agent_events',
  })
})

/** The name that the events' table gets, or how it was refused. */
function named(name: string): unknown {
  try {
    return tableNamesOf({ tables: { events: name } }).events
  } catch (error) {
    return isStoreError(error) ? [error.code, error.facts.field] : error
  }
}

const hostile = fc.constantFrom('a"b', 'a`b', 'a]b', 'a\n', "a'", 'select', 'ä', '', 'x'.repeat(50), 'x'.repeat(51))

test('a name is taken as it stands inside quotes, or refused: nothing can leave them', () =>
  fc.assert(
    fc.property(fc.oneof(fc.string({ maxLength: 60 }), hostile), (name) => {
      const isPlain = /^[A-Za-z_][A-Za-z0-9_$]{0,49}$/.test(name) && !name.endsWith('\n')
      expect(named(name)).toEqual(isPlain ? name : ['invalid_argument', 'tables.events'])
    }),
  ))

test('two tables cannot have one name, in whatever case', () => {
  expect(() => tableNamesOf({ tables: { events: 'Daybook_Sessions' } })).toThrow('one name')
})

test('a table that the store does not have is refused', () => {
  expect(() => tableNamesOf({ tables: Object.fromEntries([['event', 'x']]) })).toThrow('tables.event')
})

test('a migration’s statement gets the names where its marks are', () => {
  expect(withNames('create index "{events}_id" on "{events}" -- {other}', { events: 'e' })).toBe(
    'create index "e_id" on "e" -- {other}',
  )
})
